#include "core/frames/queued_frame.h"

#include <gtest/gtest.h>

#include <string>

#include "core/encode/message_encoder.h"
#include "core/error.h"

namespace sightline {
namespace {

ImageMessage Picture() {
  ImageMessage message;
  message.identity.stream_id = "dock-3";
  message.identity.session = "01HF";
  message.identity.sequence = 42;
  message.identity.pts_ns = 1'400'000'000;
  message.identity.capture_unix_ns = 1'700'000'000'123'456'789;
  message.identity.capture_clock = CaptureClock::kRtcpSenderReport;
  message.identity.width = 64;
  message.identity.height = 48;
  message.identity.epoch = 7;
  message.sensor_id = "dock";
  message.models = {"one", "two"};
  message.content_type = "image/jpeg";
  message.data = "a picture";
  return message;
}

// As the sender puts it on the line: flags, suffix, record.
std::string Queued(const ImageMessage& message, char flags = 0, const std::string& suffix = "") {
  MessageEncoder encoder;
  return std::string(1, flags) + static_cast<char>(suffix.size()) + suffix +
         encoder.Encode(message);
}

TEST(QueuedFrameTest, HasWhatItsOwnPipelineKnewOfIt) {
  const std::string bytes = Queued(Picture(), 1, "/model");
  const QueuedFrame frame = ReadQueuedFrame(bytes);
  EXPECT_EQ(frame.stream_id, "dock-3");
  EXPECT_EQ(frame.session, "01HF");
  EXPECT_EQ(frame.sensor_id, "dock");
  EXPECT_EQ(frame.sequence, 42U);
  EXPECT_EQ(frame.pts_ns, 1'400'000'000U);
  EXPECT_EQ(frame.capture_unix_ns, 1'700'000'000'123'456'789U);
  EXPECT_EQ(frame.capture_clock, CaptureClock::kRtcpSenderReport);
  EXPECT_EQ(frame.epoch, 7U);
  EXPECT_TRUE(frame.has_ref);
  EXPECT_TRUE(frame.late);
  EXPECT_EQ(frame.record_suffix, "/model");
  EXPECT_EQ(frame.data, "a picture");
  EXPECT_EQ(bytes.substr(frame.data_offset, frame.data.size()), "a picture");
  EXPECT_FALSE(ReadQueuedFrame(Queued(Picture())).late);
}

TEST(QueuedFrameTest, RefusesAFrameWithoutItsNamesOrItsPicture) {
  ImageMessage message = Picture();
  message.identity.session = "";
  EXPECT_THROW(ReadQueuedFrame(Queued(message)), Error);
  message = Picture();
  message.identity.stream_id = "";
  EXPECT_THROW(ReadQueuedFrame(Queued(message)), Error);
  message = Picture();
  message.data = "";
  EXPECT_THROW(ReadQueuedFrame(Queued(message)), Error);
  EXPECT_THROW(ReadQueuedFrame(""), Error);
  EXPECT_THROW(ReadQueuedFrame(std::string_view("\x00\x05", 2)), Error);
}

// Whatever the bytes are: an error, or a frame that lies in them.
void ExpectSound(const std::string& bytes) {
  try {
    const QueuedFrame frame = ReadQueuedFrame(bytes);
    ASSERT_LE(frame.data_offset + frame.data.size(), bytes.size());
    EXPECT_EQ(bytes.data() + frame.data_offset, frame.data.data());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kFailed);
  }
}

TEST(QueuedFrameTest, SurvivesBytesThatAreCutOffOrChanged) {
  const std::string bytes = Queued(Picture(), 0, "/model");
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    ExpectSound(bytes.substr(0, length));
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ExpectSound(changed);
    }
  }
}

}  // namespace
}  // namespace sightline
