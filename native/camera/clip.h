#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "camera/nal.h"

namespace sightline::camera {

/** One coded picture. `nals` point into `bytes`, delimiters left out. */
struct AccessUnit {
  std::vector<std::uint8_t> bytes;
  std::vector<Bytes> nals;
  bool is_key = false;
};

/** Takes a byte stream (Annex B) apart. */
std::shared_ptr<const AccessUnit> MakeUnit(Codec codec, std::vector<std::uint8_t> bytes);

/** A picture's place in the clip, in decode order. `rank` is its place in
 * presentation order. */
struct ClipUnit {
  std::shared_ptr<const AccessUnit> unit;
  std::uint64_t rank = 0;
};

/** A whole clip in memory: access units with their parameter sets before each
 * key frame. */
struct Clip {
  Codec codec = Codec::kH264;
  std::vector<ClipUnit> units;
  /** Duration of one frame in ns at the clip's own rate. */
  std::uint64_t frame_duration = 0;
  int width = 0;
  int height = 0;
  /** How many frames at most a picture is decoded before it is shown. */
  std::uint64_t reorder_depth = 0;
};

/**
 * Reads the H.264 or H.265 track of `path` (any container GStreamer knows, or a
 * bare stream). Throws std::runtime_error when the file cannot be read, holds
 * no such track, or is too long to keep in memory.
 */
Clip ReadClip(const std::string& path);

/** Encodes the first seconds of `clip`, which lies in `path`, anew: H.264, half
 * as wide and high.
 */
Clip ReadHalfSize(const std::string& path, const Clip& clip);

}  // namespace sightline::camera
