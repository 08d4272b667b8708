#include "core/frames/queued_frame.h"

#include <protozero/pbf_reader.hpp>

#include "core/error.h"

namespace sightline {
namespace {

constexpr unsigned kLateFlag = 1;
constexpr std::size_t kPrefixBytes = 2;

// Field numbers of sightline.v1.Image and google.protobuf.Timestamp.
namespace image {
enum Field {
  kStreamId = 1,
  kSession = 2,
  kSequence = 3,
  kPts = 4,
  kTimestamp = 5,
  kClock = 6,
  kRef = 10,
  kData = 12,
  kSensorId = 13,
  kEpoch = 15,
};
}
namespace timestamp {
enum Field { kSeconds = 1, kNanos = 2 };
}

// A field together with how it must be encoded: one that is encoded otherwise is passed over.
constexpr std::uint32_t Bytes(unsigned field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}
constexpr std::uint32_t Number(unsigned field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}

std::string_view Text(protozero::pbf_reader* reader) {
  const auto view = reader->get_view();
  return {view.data(), view.size()};
}

std::uint64_t ReadTime(protozero::pbf_reader reader) {
  std::uint64_t seconds = 0;
  std::uint64_t nanos = 0;
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case Number(timestamp::kSeconds):
        seconds = static_cast<std::uint64_t>(reader.get_int64());
        break;
      case Number(timestamp::kNanos):
        nanos = static_cast<std::uint64_t>(reader.get_int32());
        break;
      default:
        reader.skip();
    }
  }
  return seconds * 1'000'000'000 + nanos;
}

void ReadImage(std::string_view bytes, QueuedFrame* frame) {
  protozero::pbf_reader reader(bytes.data(), bytes.size());
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case Bytes(image::kStreamId):
        frame->stream_id = Text(&reader);
        break;
      case Bytes(image::kSession):
        frame->session = Text(&reader);
        break;
      case Number(image::kSequence):
        frame->sequence = reader.get_uint64();
        break;
      case Number(image::kPts):
        frame->pts_ns = reader.get_uint64();
        break;
      case Bytes(image::kTimestamp):
        frame->capture_unix_ns = ReadTime(reader.get_message());
        break;
      case Number(image::kClock): {
        const auto clock = reader.get_enum();
        if (clock >= 0 && clock <= static_cast<int>(CaptureClock::kMedia)) {
          frame->capture_clock = static_cast<CaptureClock>(clock);
        }
        break;
      }
      case Bytes(image::kRef):
        frame->has_ref = !Text(&reader).empty();
        break;
      case Bytes(image::kData):
        frame->data = Text(&reader);
        break;
      case Bytes(image::kSensorId):
        frame->sensor_id = Text(&reader);
        break;
      case Number(image::kEpoch):
        frame->epoch = reader.get_uint64();
        break;
      default:
        reader.skip();
    }
  }
}

Error Unreadable(const std::string& why) {
  return Error(ErrorKind::kFailed, "Cannot read a queued frame: " + why);
}

}  // namespace

QueuedFrame ReadQueuedFrame(std::string_view bytes) {
  if (bytes.size() < kPrefixBytes) throw Unreadable("it is too short");
  QueuedFrame frame;
  frame.late = (static_cast<unsigned char>(bytes[0]) & kLateFlag) != 0;
  const std::size_t suffix = static_cast<unsigned char>(bytes[1]);
  if (bytes.size() < kPrefixBytes + suffix) throw Unreadable("its suffix is cut off");
  frame.record_suffix = bytes.substr(kPrefixBytes, suffix);
  try {
    ReadImage(bytes.substr(kPrefixBytes + suffix), &frame);
  } catch (const protozero::exception& error) {
    throw Unreadable(error.what());
  }
  if (frame.stream_id.empty() || frame.session.empty()) throw Unreadable("it has no name");
  if (frame.data.empty()) throw Unreadable("it has no picture");
  frame.data_offset = static_cast<std::size_t>(frame.data.data() - bytes.data());
  return frame;
}

}  // namespace sightline
