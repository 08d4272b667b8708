#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace sightline::camera {

/** What the camera is told on its command line. */
struct Options {
  std::string clip;
  std::string address = "127.0.0.1";
  /** 0 asks the kernel for a free one. */
  int port = 8554;
  std::string path = "/cam";
  std::string user;
  std::string password;
  /** Frames a second; 0 keeps the clip's own rate. */
  double fps = 0;
  /** Each fault starts after this many frames of a viewing; absent: never. */
  std::optional<std::uint64_t> stop_after;
  std::optional<std::uint64_t> stall_after;
  std::optional<std::uint64_t> garbage_after;
  bool exit_with_parent = false;
};

/**
 * Reads the command line (and the password from `--password-fd` or SIGHTLINE_CAMERA_PASSWORD, so
 * that it never shows in a process list). Throws std::runtime_error with the reason; `--help`
 * prints and exits.
 */
Options ParseOptions(int argc, char** argv);

}  // namespace sightline::camera
