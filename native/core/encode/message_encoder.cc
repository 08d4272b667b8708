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
  kAnalytics = 114,
  kTrackRecords = 115,
  kEpoch = 116,
  kLate = 117,
};
}  // namespace frame
namespace analytics {
enum Field { kZones = 1, kLines = 2 };
namespace zone {
enum Field { kId = 1, kObjects = 2, kOvercrowded = 3 };
}
namespace line {
enum Field { kId = 1, kCrossings = 2, kCrossingsTotal = 3 };
}
}  // namespace analytics
namespace track_record {
enum Field { kKind = 1, kId = 2, kClassId = 3, kType = 4, kPoints = 5 };
namespace point {
enum Field { kSequence = 1, kBbox = 2, kConfidence = 3, kAge = 4, kState = 5, kVisibility = 6 };
}
}  // namespace track_record
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
  kEmbedding = 6,
  kClassId = 100,
  kSinceDetection = 101,
  kClassifications = 102,
  kAnalytics = 103,
  kTrackState = 104,
  kTrackerConfidence = 105,
  kDetectorBbox = 106,
  kRotation = 107,
  kParent = 108,
  kComponent = 109,
  kMask = 110,
  kVisibility = 111,
  kFootImage = 112,
  kFootWorld = 113,
};
}
namespace classification {
enum Field { kComponent = 1, kAttribute = 2, kLabel = 3, kConfidence = 4, kValue = 5 };
}
namespace object_analytics {
enum Field { kZones = 1, kOvercrowded = 2, kLines = 3, kDirection = 4, kStopped = 5 };
}
namespace mask {
enum Field { kWidth = 1, kHeight = 2, kThreshold = 3, kScores = 4 };
}
namespace embedding {
enum Field { kVector = 1 };
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
  kSensorId = 13,
  kModels = 14,
  kEpoch = 15,
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

template <class Corners>
void AddBox(pbf_writer* writer, int field, const Corners& box) {
  pbf_writer corners(*writer, field);
  AddFloat(&corners, bbox::kLeft, box.left);
  AddFloat(&corners, bbox::kTop, box.top);
  AddFloat(&corners, bbox::kRight, box.left + box.width);
  AddFloat(&corners, bbox::kBottom, box.top + box.height);
}

void AddTexts(pbf_writer* writer, int field, const std::vector<std::string_view>& texts) {
  for (const std::string_view text : texts) writer->add_bytes(field, text.data(), text.size());
}

void AddFloats(pbf_writer* writer, int field, const float* values, size_t count) {
  if (count != 0) writer->add_packed_float(field, values, values + count);
}

void AddClassification(pbf_writer* object_writer, const Classification& item) {
  pbf_writer writer(*object_writer, object::kClassifications);
  AddNumber(&writer, classification::kComponent, item.component);
  AddText(&writer, classification::kAttribute, item.attribute);
  AddText(&writer, classification::kLabel, item.label);
  AddFloat(&writer, classification::kConfidence, item.confidence);
  AddNumber(&writer, classification::kValue, item.value);
}

void AddAnalytics(pbf_writer* object_writer, const ObjectAnalytics& item) {
  if (item.zones.empty() && item.overcrowded_zones.empty() && item.lines_crossed.empty() &&
      item.direction.empty() && !item.stopped) {
    return;
  }
  pbf_writer writer(*object_writer, object::kAnalytics);
  AddTexts(&writer, object_analytics::kZones, item.zones);
  AddTexts(&writer, object_analytics::kOvercrowded, item.overcrowded_zones);
  AddTexts(&writer, object_analytics::kLines, item.lines_crossed);
  AddText(&writer, object_analytics::kDirection, item.direction);
  AddNumber(&writer, object_analytics::kStopped, item.stopped ? 1 : 0);
}

void AddMask(pbf_writer* object_writer, const Mask& item) {
  if (item.scores == nullptr) return;
  pbf_writer writer(*object_writer, object::kMask);
  AddNumber(&writer, mask::kWidth, item.width);
  AddNumber(&writer, mask::kHeight, item.height);
  AddFloat(&writer, mask::kThreshold, item.threshold);
  AddFloats(&writer, mask::kScores, item.scores, size_t{item.width} * item.height);
}

void AddObject(pbf_writer* frame_writer, const FrameObject& item) {
  pbf_writer writer(*frame_writer, frame::kObjects);
  if (item.tracked) AddDecimal(&writer, object::kId, item.track_id);
  const Detection& box = item.detection;
  AddBox(&writer, object::kBbox, box);
  AddText(&writer, object::kType, item.label);
  AddFloat(&writer, object::kConfidence, box.confidence);
  if (item.embedding_size != 0) {
    pbf_writer vector(writer, object::kEmbedding);
    AddFloats(&vector, embedding::kVector, item.embedding, item.embedding_size);
  }
  if (box.class_id != 0) writer.add_int32(object::kClassId, box.class_id);
  AddNumber(&writer, object::kSinceDetection, item.frames_since_detection);
  for (const Classification& found : item.classifications) AddClassification(&writer, found);
  AddAnalytics(&writer, item.analytics);
  AddNumber(&writer, object::kTrackState, static_cast<std::uint64_t>(item.track_state));
  AddFloat(&writer, object::kTrackerConfidence, item.tracker_confidence);
  if (item.has_detector_box) AddBox(&writer, object::kDetectorBbox, item.detector_box);
  AddFloat(&writer, object::kRotation, item.rotation_deg);
  AddNumber(&writer, object::kParent, item.parent);
  AddNumber(&writer, object::kComponent, item.component);
  AddMask(&writer, item.mask);
  AddFloat(&writer, object::kVisibility, item.visibility);
  if (item.has_foot_image) AddFloats(&writer, object::kFootImage, item.foot_image, 2);
  if (item.has_foot_world) AddFloats(&writer, object::kFootWorld, item.foot_world, 2);
}

void AddAnalytics(pbf_writer* frame_writer, const FrameAnalytics& item) {
  if (item.zones.empty() && item.lines.empty()) return;
  pbf_writer writer(*frame_writer, frame::kAnalytics);
  for (const ZoneCount& zone : item.zones) {
    pbf_writer entry(writer, analytics::kZones);
    AddText(&entry, analytics::zone::kId, zone.id);
    AddNumber(&entry, analytics::zone::kObjects, zone.objects);
    AddNumber(&entry, analytics::zone::kOvercrowded, zone.overcrowded ? 1 : 0);
  }
  for (const LineCount& line : item.lines) {
    pbf_writer entry(writer, analytics::kLines);
    AddText(&entry, analytics::line::kId, line.id);
    AddNumber(&entry, analytics::line::kCrossings, line.crossings);
    AddNumber(&entry, analytics::line::kCrossingsTotal, line.crossings_total);
  }
}

void AddTrackRecord(pbf_writer* frame_writer, const TrackRecord& item) {
  pbf_writer writer(*frame_writer, frame::kTrackRecords);
  AddNumber(&writer, track_record::kKind, static_cast<std::uint64_t>(item.kind));
  AddDecimal(&writer, track_record::kId, item.track_id);
  if (item.class_id != 0) writer.add_int32(track_record::kClassId, item.class_id);
  AddText(&writer, track_record::kType, item.label);
  for (const TrackRecord::Point& at : item.points) {
    pbf_writer point(writer, track_record::kPoints);
    AddNumber(&point, track_record::point::kSequence, at.frame_sequence);
    AddBox(&point, track_record::point::kBbox, at.box);
    AddFloat(&point, track_record::point::kConfidence, at.confidence);
    AddNumber(&point, track_record::point::kAge, at.age);
    AddNumber(&point, track_record::point::kState, static_cast<std::uint64_t>(at.state));
    AddFloat(&point, track_record::point::kVisibility, at.visibility);
  }
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
  AddAnalytics(&writer, message.analytics);
  for (const TrackRecord& record : message.track_records) AddTrackRecord(&writer, record);
  AddNumber(&writer, frame::kEpoch, identity.epoch);
  AddNumber(&writer, frame::kLate, message.late ? 1 : 0);
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
  AddText(&writer, image::kSensorId, message.sensor_id);
  AddTexts(&writer, image::kModels, message.models);
  AddNumber(&writer, image::kEpoch, identity.epoch);
  return bytes_;
}

}  // namespace sightline
