#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/frame_buffers.h"
#include "tests/support/message_fields.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

constexpr int kWidth = 64, kHeight = 48;

std::string BytesOf(GstBuffer* buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

class SlMetaTest : public testing::Test {
 protected:
  void TearDown() override {
    if (harness_ != nullptr) gst_harness_teardown(harness_);
  }
  void Open(const char* text) {
    harness_ = gst_harness_new_parse(text);
    gst_harness_set_src_caps_str(harness_,
                                 "video/x-raw,format=GRAY8,width=64,height=48,framerate=25/1");
  }
  GstBuffer* NewFrame(GstClockTime pts = 0) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kWidth * kHeight, nullptr);
    GST_BUFFER_PTS(buffer) = pts;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    return buffer;
  }
  MessageFields Push(GstBuffer* buffer) {
    const GstClockTime pts = GST_BUFFER_PTS(buffer);
    GstBuffer* message = gst_harness_push_and_pull(harness_, buffer);
    EXPECT_EQ(GST_BUFFER_PTS(message), pts);
    EXPECT_EQ(GST_BUFFER_DURATION(message), 40 * GST_MSECOND);
    const std::string bytes = BytesOf(message);
    gst_buffer_unref(message);
    return MessageFields(bytes);
  }

  GstHarness* harness_ = nullptr;
};

TEST_F(SlMetaTest, WritesEveryThingTheFrameKnows) {
  Open("slmeta stream-id=cam-1 session=s9 sensor-id=gate backend=test");
  GstBuffer* buffer = NewFrame(1200 * GST_MSECOND);
  SlFrameMeta* frame = AddFrameMeta(buffer);
  const guint64 now = static_cast<guint64>(g_get_monotonic_time()) * 1000;
  frame->sequence = 3;
  frame->capture_unix_ns = 1'700'000'000'000'000'001;
  frame->capture_clock = SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT;
  frame->receive_ns = now - 100;
  frame->decode_end_ns = now - 90;
  frame->infer_start_ns = now - 70;
  frame->infer_end_ns = now - 30;
  frame->track_end_ns = now - 25;
  frame->inferred = TRUE;
  frame->image = TRUE;
  frame->model_name = g_quark_from_static_string("centernet");
  frame->model_version = g_quark_from_static_string("2");
  frame->execution_provider = g_quark_from_static_string("CPUExecutionProvider");
  frame->tracker = g_quark_from_static_string("sltrack-bytetrack");
  AddDetection(buffer, "person", {10.5F, 4, 20, 30, 0.75F, 3}, kWidth, kHeight);

  const MessageFields message = Push(buffer);
  EXPECT_EQ(message.text(2), "3");
  const MessageFields timestamp(message.text(3));
  EXPECT_EQ(timestamp.number(1), 1'700'000'000U);
  EXPECT_EQ(timestamp.number(2), 1U);
  EXPECT_EQ(message.text(4), "gate");
  EXPECT_EQ(message.text(100), "cam-1");
  EXPECT_EQ(message.text(101), "s9");
  EXPECT_EQ(message.number(102), 3U);
  EXPECT_EQ(message.number(103), 1200 * GST_MSECOND);
  EXPECT_EQ(message.number(104), 2U);
  EXPECT_EQ(message.number(105), 64U);
  EXPECT_EQ(message.number(106), 48U);
  const MessageFields model(message.text(107));
  EXPECT_EQ(model.text(1), "centernet");
  EXPECT_EQ(model.text(2), "2");
  EXPECT_EQ(model.text(3), "test");
  EXPECT_EQ(model.text(4), "CPUExecutionProvider");
  EXPECT_EQ(message.text(108), "sltrack-bytetrack");
  EXPECT_EQ(message.text(109), "cam-1/2023/11/14/22/s9-3.jpg");
  const MessageFields latency(message.text(110));
  EXPECT_EQ(latency.number(1), 10U);
  EXPECT_EQ(latency.number(2), 20U);
  EXPECT_EQ(latency.number(3), 40U);
  EXPECT_EQ(latency.number(4), 5U);
  EXPECT_GE(latency.number(5), 100U);
  EXPECT_LT(latency.number(5), 5 * GST_SECOND);
  EXPECT_EQ(message.number(111), 1U);
  EXPECT_EQ(message.number(112), 3U) << "frames 0 to 2 never came";
  EXPECT_EQ(message.text(113), "cam-1/s9/3");
  const MessageFields object(message.text(5));
  const MessageFields box(object.text(2));
  EXPECT_EQ(box.floats.at(1), 10.5F);
  EXPECT_EQ(box.floats.at(2), 4);
  EXPECT_EQ(box.floats.at(3), 30.5F);
  EXPECT_EQ(box.floats.at(4), 34);
  EXPECT_EQ(object.text(3), "person");
  EXPECT_EQ(object.floats.at(4), 0.75F);
  EXPECT_EQ(object.number(100), 3U);
}

TEST_F(SlMetaTest, WorksOnFramesNobodyStamped) {
  Open("slmeta stream-id=cam-1");
  for (guint64 i = 0; i < 3; ++i) {
    const MessageFields message = Push(NewFrame(i * 40 * GST_MSECOND));
    EXPECT_EQ(message.text(2), std::to_string(i));
    EXPECT_EQ(message.text(4), "cam-1") << "the sensor is the stream unless it is named";
    EXPECT_EQ(message.number(104), 1U) << "captured on arrival";
    const MessageFields timestamp(message.text(3));
    EXPECT_NEAR(static_cast<double>(timestamp.number(1)), g_get_real_time() / 1e6, 5);
    EXPECT_FALSE(message.text(101).empty()) << "a session has a name";
    EXPECT_EQ(message.number(112), 0U);
  }
}

TEST_F(SlMetaTest, ReadsRegionsOfOtherMakers) {
  Open("slmeta");
  GstBuffer* buffer = NewFrame();
  gst_buffer_add_video_region_of_interest_meta(buffer, "face", 1, 2, 3, 4);
  const MessageFields message = Push(buffer);
  const MessageFields object(message.text(5));
  EXPECT_EQ(object.text(3), "face");
  const MessageFields box(object.text(2));
  EXPECT_EQ(box.floats.at(1), 1);
  EXPECT_EQ(box.floats.at(4), 6);
}

TEST_F(SlMetaTest, ClipsBoxesToThePicture) {
  Open("slmeta");
  GstBuffer* buffer = NewFrame();
  AddDetection(buffer, "person", {-10, -5, 100, 20, 0.5F, 0}, kWidth, kHeight);
  AddDetection(buffer, "gone", {-30, 0, 20, 20, 0.5F, 0}, kWidth, kHeight);
  const MessageFields message = Push(buffer);
  ASSERT_EQ(message.texts.at(5).size(), 1U) << "an object outside of the picture is not on it";
  const MessageFields object(message.text(5));
  const MessageFields box(object.text(2));
  EXPECT_EQ(box.floats.count(1), 0U);
  EXPECT_EQ(box.floats.count(2), 0U);
  EXPECT_EQ(box.floats.at(3), 64);
  EXPECT_EQ(box.floats.at(4), 15);
}

TEST_F(SlMetaTest, CountsGapsInTheSequence) {
  Open("slmeta name=meta");
  const auto push = [this](guint64 sequence) {
    GstBuffer* buffer = NewFrame();
    AddFrameMeta(buffer)->sequence = sequence;
    return Push(buffer).number(112);
  };
  EXPECT_EQ(push(0), 0U);
  EXPECT_EQ(push(1), 0U);
  EXPECT_EQ(push(5), 3U);
  EXPECT_EQ(push(6), 0U);
  EXPECT_EQ(push(2), 0U) << "numbers that start over are no gap";
  EXPECT_EQ(push(4), 1U);
  const Element meta(gst_harness_find_element(harness_, "slmeta"));
  guint64 frames = 0, skipped = 0;
  g_object_get(meta.get(), "frames", &frames, "frames-skipped", &skipped, nullptr);
  EXPECT_EQ(frames, 6U);
  EXPECT_EQ(skipped, 4U);
}

TEST(SlMetaPipelineTest, CountsWhatALeakyQueueDropped) {
  constexpr guint64 kFrames = 200;
  TestPipeline pipeline(
      "videotestsrc num-buffers=200 ! video/x-raw,width=64,height=48 ! slstamp stage=decode ! "
      "queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 ! identity "
      "sleep-time=2000 ! slmeta name=meta ! appsink name=out sync=false");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  guint64 messages = 0, skipped = 0, last = 0;
  while (const Sample sample = pipeline.Pull()) {
    const MessageFields message(BytesOf(gst_sample_get_buffer(sample.get())));
    ++messages;
    skipped += message.number(112);
    last = message.number(102);
  }
  EXPECT_EQ(messages + skipped, last + 1) << "every frame is either written or counted";
  EXPECT_EQ(last, kFrames - 1);
  EXPECT_GT(skipped, 0U);
}

TEST(SlMetaPipelineTest, OffersItsCaps) {
  TestPipeline pipeline("videotestsrc num-buffers=1 ! slmeta ! appsink name=out sync=false");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  gchar* caps = gst_caps_to_string(gst_sample_get_caps(sample.get()));
  EXPECT_STREQ(caps, "application/x-protobuf, message=(string)sightline.v1.Frame");
  g_free(caps);
}

}  // namespace
}  // namespace sightline::test
