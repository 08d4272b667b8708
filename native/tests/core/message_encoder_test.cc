#include "core/encode/message_encoder.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/message_fields.h"

namespace sightline {
namespace {

using Fields = test::MessageFields;

// What protobuf's own compiler (protoc --encode) makes of the messages below.
constexpr char kGoldenFrame[] =
    "0a03342e301204313230371a0b0880e2cfaa0610959aef3a2204676174652a3f0a1431383434363734343037"
    "3337303935353136313512140d00002841150000a2411d00004a42250080c8421a06706572736f6e25000040"
    "3fa00603a806022a16120a1d0000004125000080401a03636172250000003fa2060563616d2d31aa06027339"
    "b006b709b806808c80879601c00602c8068006d006c004da06290a0963656e7465726e65741201311a036370"
    "752214435055457865637574696f6e50726f7669646572e20611736c747261636b2d62797465747261636bea"
    "061f63616d2d312f323032332f31312f31342f32322f73392d313230372e6a7067f2060a0801100218032004"
    "2805f806018007068a070d63616d2d312f73392f31323037";
constexpr char kGoldenImage[] =
    "0a0563616d2d311202733918b70920808c808796012a0b0880e2cfaa0610959aef3a300238800640c0044a0a"
    "696d6167652f6a706567521f63616d2d312f323032332f31312f31342f32322f73392d313230372e6a70675a"
    "1363616d2d312f73392f313230372f696d6167656205ffd800ffd9";

std::string ToHex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const unsigned char byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

FrameIdentity Identity() {
  FrameIdentity identity;
  identity.stream_id = "cam-1";
  identity.session = "s9";
  identity.sequence = 1207;
  identity.pts_ns = 40'280'000'000;
  identity.capture_unix_ns = 1'700'000'000'123'456'789;
  identity.capture_clock = CaptureClock::kRtcpSenderReport;
  identity.width = 768;
  identity.height = 576;
  return identity;
}

FrameMessage FullFrame() {
  FrameMessage message;
  message.identity = Identity();
  message.sensor_id = "gate";
  message.model_name = "centernet";
  message.model_version = "1";
  message.backend = "cpu";
  message.execution_provider = "CPUExecutionProvider";
  message.tracker = "sltrack-bytetrack";
  message.image = true;
  message.inferred = true;
  message.frames_skipped = 6;
  message.latency = {1, 2, 3, 4, 5};
  FrameObject person;
  person.detection = {10.5F, 20.25F, 40, 80, 0.75F, 3};
  person.label = "person";
  person.tracked = true;
  person.track_id = UINT64_MAX;
  person.frames_since_detection = 2;
  FrameObject car;
  car.detection = {0, 0, 8, 4, 0.5F, 0};
  car.label = "car";
  message.objects = {person, car};
  return message;
}

TEST(MessageEncoderTest, WritesTheBytesProtobufWrites) {
  MessageEncoder encoder;
  EXPECT_EQ(ToHex(encoder.Encode(FullFrame())), kGoldenFrame);
  ImageMessage image;
  image.identity = Identity();
  image.content_type = "image/jpeg";
  image.data = std::string_view("\xff\xd8\x00\xff\xd9", 5);
  EXPECT_EQ(ToHex(encoder.Encode(image)), kGoldenImage);
}

TEST(MessageEncoderTest, EveryFieldComesBack) {
  MessageEncoder encoder;
  const Fields frame(encoder.Encode(FullFrame()));
  EXPECT_EQ(frame.text(1), "4.0");
  EXPECT_EQ(frame.text(2), "1207");
  const Fields timestamp(frame.text(3));
  EXPECT_EQ(timestamp.numbers.at(1), 1'700'000'000U);
  EXPECT_EQ(timestamp.numbers.at(2), 123'456'789U);
  EXPECT_EQ(frame.text(4), "gate");
  EXPECT_EQ(frame.text(100), "cam-1");
  EXPECT_EQ(frame.text(101), "s9");
  EXPECT_EQ(frame.numbers.at(102), 1207U);
  EXPECT_EQ(frame.numbers.at(103), 40'280'000'000U);
  EXPECT_EQ(frame.numbers.at(104), 2U);
  EXPECT_EQ(frame.numbers.at(105), 768U);
  EXPECT_EQ(frame.numbers.at(106), 576U);
  const Fields model(frame.text(107));
  EXPECT_EQ(model.text(1), "centernet");
  EXPECT_EQ(model.text(2), "1");
  EXPECT_EQ(model.text(3), "cpu");
  EXPECT_EQ(model.text(4), "CPUExecutionProvider");
  EXPECT_EQ(frame.text(108), "sltrack-bytetrack");
  EXPECT_EQ(frame.text(109), "cam-1/2023/11/14/22/s9-1207.jpg");
  const Fields latency(frame.text(110));
  for (int stage = 1; stage <= 5; ++stage) {
    EXPECT_EQ(latency.numbers.at(stage), static_cast<std::uint64_t>(stage));
  }
  EXPECT_EQ(frame.numbers.at(111), 1U);
  EXPECT_EQ(frame.numbers.at(112), 6U);
  EXPECT_EQ(frame.text(113), "cam-1/s9/1207");

  ASSERT_EQ(frame.texts.at(5).size(), 2U);
  const Fields person(frame.texts.at(5)[0]);
  EXPECT_EQ(person.text(1), "18446744073709551615");
  const Fields box(person.text(2));
  EXPECT_EQ(box.floats.at(1), 10.5F);
  EXPECT_EQ(box.floats.at(2), 20.25F);
  EXPECT_EQ(box.floats.at(3), 50.5F);
  EXPECT_EQ(box.floats.at(4), 100.25F);
  EXPECT_EQ(person.text(3), "person");
  EXPECT_EQ(person.floats.at(4), 0.75F);
  EXPECT_EQ(person.numbers.at(100), 3U);
  EXPECT_EQ(person.numbers.at(101), 2U);
  const Fields car(frame.texts.at(5)[1]);
  EXPECT_EQ(car.texts.count(1), 0U) << "an untracked object has no id";
  EXPECT_EQ(car.text(3), "car");
}

TEST(MessageEncoderTest, LeavesDefaultsOut) {
  FrameMessage message;
  message.identity.stream_id = "a";
  message.identity.session = "b";
  MessageEncoder encoder;
  const Fields frame(encoder.Encode(message));
  EXPECT_TRUE(frame.numbers.empty());
  EXPECT_EQ(frame.text(2), "0") << "the first frame has an id all the same";
  EXPECT_EQ(frame.text(113), "a/b/0");
  for (const int tag : {4, 5, 108, 109}) EXPECT_EQ(frame.texts.count(tag), 0U) << tag;
}

TEST(MessageEncoderTest, WritesWhoOwnsTheStreamAndWhoIsToLook) {
  MessageEncoder encoder;
  FrameMessage message;
  message.identity = Identity();
  message.identity.epoch = UINT64_MAX;
  const Fields frame(encoder.Encode(message));
  EXPECT_EQ(frame.numbers.at(116), UINT64_MAX);
  ImageMessage picture;
  picture.identity = message.identity;
  picture.sensor_id = "gate";
  picture.models = {"people", "plates"};
  const Fields image(encoder.Encode(picture));
  EXPECT_EQ(image.text(13), "gate");
  EXPECT_EQ(image.texts.at(14), (std::vector<std::string>{"people", "plates"}));
  EXPECT_EQ(image.numbers.at(15), UINT64_MAX);
}

TEST(MessageEncoderTest, AMessageKeepsNothingOfTheOneBefore) {
  MessageEncoder encoder;
  const std::string first = encoder.Encode(FullFrame());
  FrameMessage other;
  other.identity.stream_id = "x";
  encoder.Encode(other);
  EXPECT_EQ(encoder.Encode(FullFrame()), first);
}

TEST(MessageEncoderTest, WritesNegativeClassesAsTheSchemaSays) {
  FrameMessage message;
  FrameObject unknown;
  unknown.detection.class_id = -1;
  message.objects = {unknown};
  MessageEncoder encoder;
  const Fields frame(encoder.Encode(message));
  const Fields object(frame.text(5));
  EXPECT_EQ(static_cast<std::int32_t>(object.numbers.at(100)), -1);
}

}  // namespace
}  // namespace sightline
