#pragma once

#include <gst/gst.h>

#include <string>
#include <vector>

#include "camera/owned.h"

namespace sightline::camera {

/** One coded picture in decode order. `rank` is its place in presentation order. */
struct AccessUnit {
  Owned<GstBuffer> buffer;
  std::size_t rank = 0;
};

/** A whole clip in memory: H.264 access units with their parameter sets before each key frame. */
struct Clip {
  std::vector<AccessUnit> units;
  Owned<GstCaps> caps;
  /** Duration of one frame at the clip's own rate. */
  GstClockTime frame_duration = 0;
  /** How many frames at most a picture is decoded before it is shown. */
  std::size_t reorder_depth = 0;
};

/**
 * Reads the H.264 track of `path` (any container GStreamer knows, or a bare stream). Throws
 * std::runtime_error when the file cannot be read, holds no H.264, or is too long to keep in
 * memory.
 */
Clip ReadClip(const std::string& path);

}  // namespace sightline::camera
