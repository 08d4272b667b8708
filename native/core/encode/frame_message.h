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
  std::uint64_t epoch = 0;  // fencing token of the stream's owner
  // Put behind the record id of a Frame: "/<model>" where several models look at one frame.
  std::string_view record_suffix;
};

// Mirrors TrackState of frame.proto.
enum class TrackState : std::uint8_t {
  kUnspecified = 0,
  kActive = 1,
  kInactive = 2,
  kTentative = 3,
  kProjected = 4,
};

// Pixels of the source frame.
struct Box {
  float left = 0;
  float top = 0;
  float width = 0;
  float height = 0;
};

struct Classification {
  std::uint32_t component = 0;
  std::string_view attribute;
  std::string_view label;
  float confidence = 0;
  std::uint32_t value = 0;
};

struct ObjectAnalytics {
  std::vector<std::string_view> zones;
  std::vector<std::string_view> overcrowded_zones;
  std::vector<std::string_view> lines_crossed;
  std::string_view direction;
  bool stopped = false;
};

// `scores` is the caller's, [height * width].
struct Mask {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  float threshold = 0;
  const float* scores = nullptr;
};

struct FrameObject {
  Detection detection;  // pixels of the source frame
  std::string_view label;
  bool tracked = false;
  std::uint64_t track_id = 0;  // when tracked
  std::uint32_t frames_since_detection = 0;
  // What only some pipelines know; at its default it is not written.
  std::vector<Classification> classifications;
  ObjectAnalytics analytics;
  TrackState track_state = TrackState::kUnspecified;
  float tracker_confidence = 0;
  bool has_detector_box = false;
  Box detector_box;
  float rotation_deg = 0;
  std::uint32_t parent = 0;  // 1 + index of the object it lies in
  std::uint32_t component = 0;
  Mask mask;
  const float* embedding = nullptr;  // [embedding_size], the caller's
  std::uint32_t embedding_size = 0;
  float visibility = 0;
  bool has_foot_image = false;
  bool has_foot_world = false;
  float foot_image[2] = {0, 0};
  float foot_world[2] = {0, 0};
};

struct ZoneCount {
  std::string_view id;
  std::uint32_t objects = 0;
  bool overcrowded = false;
};

struct LineCount {
  std::string_view id;
  std::uint64_t crossings = 0;
  std::uint64_t crossings_total = 0;
};

struct FrameAnalytics {
  std::vector<ZoneCount> zones;
  std::vector<LineCount> lines;
};

// Mirrors TrackRecord of frame.proto.
struct TrackRecord {
  enum class Kind : std::uint8_t { kPastFrames = 1, kTerminated = 2, kShadow = 3 };
  struct Point {
    std::uint64_t frame_sequence = 0;
    Box box;
    float confidence = 0;
    std::uint32_t age = 0;
    TrackState state = TrackState::kUnspecified;
    float visibility = 0;
  };
  Kind kind = Kind::kPastFrames;
  std::uint64_t track_id = 0;
  std::int32_t class_id = 0;
  std::string_view label;
  std::vector<Point> points;
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
  bool late = false;  // a later frame of its session went before it
  std::uint64_t frames_skipped = 0;
  FrameLatency latency;
  std::vector<FrameObject> objects;
  FrameAnalytics analytics;
  std::vector<TrackRecord> track_records;
};

// The content of one sightline.v1.Image.
struct ImageMessage {
  FrameIdentity identity;
  std::string_view sensor_id;
  std::vector<std::string_view> models;
  std::string_view content_type;
  std::string_view data;
};

}  // namespace sightline
