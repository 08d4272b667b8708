#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/detection.h"

namespace sightline {

// Mirrors CaptureClock of proto/sightline/v1/frame.proto.
enum class CaptureClock : std::uint8_t {
  kUnspecified = 0,
  kArrival = 1,
  kRtcpSenderReport = 2,
  kMedia = 3,
};

// What names one frame in every message and key. Views are the caller's.
struct FrameIdentity {
  std::string_view stream_id;
  std::string_view session;
  std::uint64_t sequence = 0;
  std::uint64_t pts_ns = 0;  // running time
  std::uint64_t capture_unix_ns = 0;
  CaptureClock capture_clock = CaptureClock::kUnspecified;
  std::uint32_t width = 0;  // pixels
  std::uint32_t height = 0;
};

struct FrameObject {
  Detection detection;  // pixels of the source frame
  std::string_view label;
  bool tracked = false;
  std::uint64_t track_id = 0;  // when tracked
  std::uint32_t frames_since_detection = 0;
};

// Nanoseconds; 0 where a stage did not run.
struct FrameLatency {
  std::uint64_t decode_ns = 0;
  std::uint64_t queue_ns = 0;
  std::uint64_t infer_ns = 0;
  std::uint64_t track_ns = 0;
  std::uint64_t total_ns = 0;
};

// The content of one sightline.v1.Frame. Fields that follow from others (id, record_id, image_ref)
// are the encoder's.
struct FrameMessage {
  FrameIdentity identity;
  std::string_view sensor_id;
  std::string_view model_name;
  std::string_view model_version;
  std::string_view backend;
  std::string_view execution_provider;
  std::string_view tracker;
  bool image = false;  // the frame's picture is stored
  bool inferred = false;
  std::uint64_t frames_skipped = 0;
  FrameLatency latency;
  std::vector<FrameObject> objects;
};

// The content of one sightline.v1.Image.
struct ImageMessage {
  FrameIdentity identity;
  std::string_view content_type;
  std::string_view data;
};

}  // namespace sightline
