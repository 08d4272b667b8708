#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "camera/nal.h"

namespace sightline::camera {

/** Marks our SEI messages (docs/fake-camera.md). */
constexpr std::array<std::uint8_t, 16> kGroundTruthUuid = {
    0x8f, 0x1c, 0x5d, 0x5a, 0x3e, 0x0b, 0x4c, 0x1e, 0x9d, 0x27, 0x51, 0x69, 0x67, 0x68, 0x74, 0x01};

/** What a frame says of itself. */
struct GroundTruth {
  /** Number of the stream, from 1 on. */
  std::uint16_t stream = 1;
  /** How often the clip began anew. */
  std::uint32_t loop = 0;
  /** Number of the frame in its stream, from 0 on. */
  std::uint64_t frame = 0;
  /** Unix time in ns at sending. */
  std::uint64_t wall_ns = 0;
  /** CLOCK_MONOTONIC in ns at sending. */
  std::uint64_t monotonic_ns = 0;
};

/**
 * Writes an SEI NAL unit (user_data_unregistered, H.264 and H.265 Annex D)
 * without start code into `nal`, with emulation prevention.
 */
void WriteGroundTruth(Codec codec, const GroundTruth& truth, std::vector<std::uint8_t>& nal);

}  // namespace sightline::camera
