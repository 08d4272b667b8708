#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/encode/frame_message.h"

namespace sightline {

// A frame that comes from a queue instead of a camera, as slframesrc reads it from its socket:
//
//   u8 flags (bit 0: late) | u8 length of the suffix | suffix | sightline.v1.Image
//
// Only the fields of Image that a Frame repeats are read; the views point into the bytes.
struct QueuedFrame {
  std::string_view stream_id;
  std::string_view session;
  std::string_view sensor_id;
  std::uint64_t sequence = 0;
  std::uint64_t pts_ns = 0;
  std::uint64_t capture_unix_ns = 0;
  CaptureClock capture_clock = CaptureClock::kUnspecified;
  std::uint64_t epoch = 0;
  // The picture is stored under the key that follows from the frame.
  bool has_ref = false;
  // A later frame of its session went before it.
  bool late = false;
  // Put behind the frame's record id.
  std::string_view record_suffix;
  // The picture's bytes and where they begin.
  std::string_view data;
  std::size_t data_offset = 0;
};

// Throws Error of kFailed for bytes that are no such frame, or one without its names or its
// picture.
QueuedFrame ReadQueuedFrame(std::string_view bytes);

}  // namespace sightline
