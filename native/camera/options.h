#pragma once

#include <string>
#include <vector>

#include "camera/faults.h"

namespace sightline::camera {

/** What the camera is told on its command line. */
struct Options {
  std::string clip;
  std::string address = "127.0.0.1";
  /** 0 asks the kernel for a free one. */
  int port = 8554;
  /** Of the stream; with `count`, the number of the stream follows it. */
  std::string path = "/cam";
  /** How many streams; 0 is one whose path has no number. */
  int count = 0;
  std::string user;
  std::string password;
  /** Frames a second; 0 keeps the clip's own rate. */
  double fps = 0;
  std::vector<Fault> faults;
  /** Draw the frame number and the clock into the picture. */
  bool overlay = false;
  /** Leave the SEI message out of the stream. */
  bool no_ground_truth = false;
  /** Print a line for each viewer that has gone. */
  bool tell_viewers = false;
  bool exit_with_parent = false;
};

/**
 * Reads the command line (and the password from `--password-fd` or
 * SIGHTLINE_CAMERA_PASSWORD, so that it never shows in a process list). Throws
 * std::runtime_error with the reason; `--help` prints and exits.
 */
Options ParseOptions(int argc, char** argv);

}  // namespace sightline::camera
