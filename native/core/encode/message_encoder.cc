#include "core/encode/message_encoder.h"

#include <array>
#include <charconv>
#include <protozero/pbf_writer.hpp>

#include "core/encode/record_keys.h"

namespace sightline {
namespace {

using protozero::pbf_writer;

// Version of NVIDIA's schema that fields 1 to 13 follow.
constexpr std::string_view kSchemaVersion = "4.0";

// Field numbers of frame.proto.
namespace frame {
enum Field {
  kVersion = 1,
  kId = 2,
  kTimestamp = 3,
  kSensorId = 4,
  kObjects = 5,
  kStreamId = 100,
  kSession = 101,
  kSequence = 102,
  kPts = 103,
  kCaptureClock = 104,
  kWidth = 105,
  kHeight = 106,
  kModel = 107,
  kTracker = 108,
  kImageRef = 109,
  kLatency = 110,
  kInferred = 111,
  kSkipped = 112,
  kRecordId = 113,
};
}  // namespace frame
namespace timestamp {
enum Field { kSeconds = 1, kNanos = 2 };
}
namespace model {
enum Field { kName = 1, kVersion = 2, kBackend = 3, kExecutionProvider = 4 };
}
namespace latency {
enum Field { kDecode = 1, kQueue = 2, kInfer = 3, kTrack = 4, kTotal = 5 };
}
namespace object {
enum Field {
  kId = 1,
  kBbox = 2,
  kType = 3,
  kConfidence = 4,
  kClassId = 100,
  kSinceDetection = 101
};
}
namespace bbox {
enum Field { kLeft = 1, kTop = 2, kRight = 3, kBottom = 4 };
}
namespace image {
enum Field {
  kStreamId = 1,
  kSession = 2,
  kSequence = 3,
  kPts = 4,
  kTimestamp = 5,
  kCaptureClock = 6,
  kWidth = 7,
  kHeight = 8,
  kContentType = 9,
  kRef = 10,
  kRecordId = 11,
  kData = 12,
};
}

// The Add functions leave out what is at its default.
void AddText(pbf_writer* writer, int field, std::string_view text) {
  if (!text.empty()) writer->add_bytes(field, text.data(), text.size());
}

void AddNumber(pbf_writer* writer, int field, std::uint64_t value) {
  if (value != 0) writer->add_uint64(field, value);
}

void AddFloat(pbf_writer* writer, int field, float value) {
  if (value != 0) writer->add_float(field, value);
}

void AddDecimal(pbf_writer* writer, int field, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  writer->add_bytes(field, digits.data(), end - digits.data());
}

void AddTimestamp(pbf_writer* writer, int field, std::uint64_t unix_ns) {
  pbf_writer stamp(*writer, field);
  AddNumber(&stamp, timestamp::kSeconds, unix_ns / 1'000'000'000);
  AddNumber(&stamp, timestamp::kNanos, unix_ns % 1'000'000'000);
}

void AddObject(pbf_writer* frame_writer, const FrameObject& item) {
  pbf_writer writer(*frame_writer, frame::kObjects);
  if (item.tracked) AddDecimal(&writer, object::kId, item.track_id);
  const Detection& box = item.detection;
  {
    pbf_writer corners(writer, object::kBbox);
    AddFloat(&corners, bbox::kLeft, box.left);
    AddFloat(&corners, bbox::kTop, box.top);
    AddFloat(&corners, bbox::kRight, box.left + box.width);
    AddFloat(&corners, bbox::kBottom, box.top + box.height);
  }
  AddText(&writer, object::kType, item.label);
  AddFloat(&writer, object::kConfidence, box.confidence);
  if (box.class_id != 0) writer.add_int32(object::kClassId, box.class_id);
  AddNumber(&writer, object::kSinceDetection, item.frames_since_detection);
}

void AddModel(pbf_writer* frame_writer, const FrameMessage& message) {
  pbf_writer writer(*frame_writer, frame::kModel);
  AddText(&writer, model::kName, message.model_name);
  AddText(&writer, model::kVersion, message.model_version);
  AddText(&writer, model::kBackend, message.backend);
  AddText(&writer, model::kExecutionProvider, message.execution_provider);
}

void AddLatency(pbf_writer* frame_writer, const FrameLatency& times) {
  pbf_writer writer(*frame_writer, frame::kLatency);
  AddNumber(&writer, latency::kDecode, times.decode_ns);
  AddNumber(&writer, latency::kQueue, times.queue_ns);
  AddNumber(&writer, latency::kInfer, times.infer_ns);
  AddNumber(&writer, latency::kTrack, times.track_ns);
  AddNumber(&writer, latency::kTotal, times.total_ns);
}

}  // namespace

const std::string& MessageEncoder::Encode(const FrameMessage& message) {
  const FrameIdentity& identity = message.identity;
  bytes_.clear();
  pbf_writer writer(bytes_);
  AddText(&writer, frame::kVersion, kSchemaVersion);
  AddDecimal(&writer, frame::kId, identity.sequence);
  AddTimestamp(&writer, frame::kTimestamp, identity.capture_unix_ns);
  AddText(&writer, frame::kSensorId, message.sensor_id);
  for (const FrameObject& item : message.objects) AddObject(&writer, item);
  AddText(&writer, frame::kStreamId, identity.stream_id);
  AddText(&writer, frame::kSession, identity.session);
  AddNumber(&writer, frame::kSequence, identity.sequence);
  AddNumber(&writer, frame::kPts, identity.pts_ns);
  AddNumber(&writer, frame::kCaptureClock, static_cast<std::uint64_t>(identity.capture_clock));
  AddNumber(&writer, frame::kWidth, identity.width);
  AddNumber(&writer, frame::kHeight, identity.height);
  AddModel(&writer, message);
  AddText(&writer, frame::kTracker, message.tracker);
  if (message.image) {
    WriteImageRef(identity, &key_);
    AddText(&writer, frame::kImageRef, key_);
  }
  AddLatency(&writer, message.latency);
  AddNumber(&writer, frame::kInferred, message.inferred ? 1 : 0);
  AddNumber(&writer, frame::kSkipped, message.frames_skipped);
  WriteFrameRecordId(identity, &key_);
  AddText(&writer, frame::kRecordId, key_);
  return bytes_;
}

const std::string& MessageEncoder::Encode(const ImageMessage& message) {
  const FrameIdentity& identity = message.identity;
  bytes_.clear();
  pbf_writer writer(bytes_);
  AddText(&writer, image::kStreamId, identity.stream_id);
  AddText(&writer, image::kSession, identity.session);
  AddNumber(&writer, image::kSequence, identity.sequence);
  AddNumber(&writer, image::kPts, identity.pts_ns);
  AddTimestamp(&writer, image::kTimestamp, identity.capture_unix_ns);
  AddNumber(&writer, image::kCaptureClock, static_cast<std::uint64_t>(identity.capture_clock));
  AddNumber(&writer, image::kWidth, identity.width);
  AddNumber(&writer, image::kHeight, identity.height);
  AddText(&writer, image::kContentType, message.content_type);
  WriteImageRef(identity, &key_);
  AddText(&writer, image::kRef, key_);
  WriteImageRecordId(identity, &key_);
  AddText(&writer, image::kRecordId, key_);
  AddText(&writer, image::kData, message.data);
  return bytes_;
}

}  // namespace sightline
