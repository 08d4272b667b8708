#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "tests/support/frame_buffers.h"

namespace sightline::test {
namespace {

constexpr int kWidth = 640, kHeight = 480;
constexpr char kCaps[] = "video/x-raw,format=GRAY8,width=640,height=480,framerate=25/1";

Detection Box(float left, float score = 0.9F, int class_id = 0) {
  return {left, 100, 40, 80, score, class_id};
}

// Pushes frames with hand-made detections through sltrack.
class SlTrackTest : public testing::Test {
 protected:
  void TearDown() override { gst_harness_teardown(harness_); }

  void Open(const char* text) {
    harness_ = gst_harness_new_parse(text);
    gst_harness_set_src_caps_str(harness_, kCaps);
  }

  GstBuffer* NewFrame(GstClockTime pts) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kWidth * kHeight, nullptr);
    GST_BUFFER_PTS(buffer) = pts;
    return buffer;
  }

  std::vector<SeenObject> Push(GstBuffer* buffer) {
    GstBuffer* passed = gst_harness_push_and_pull(harness_, buffer);
    EXPECT_NE(passed, nullptr);
    const auto objects = ObjectsOn(passed, kWidth, kHeight);
    const SlFrameMeta* frame = FrameMetaOf(passed);
    EXPECT_STREQ(g_quark_to_string(frame->tracker), "sltrack-bytetrack");
    EXPECT_GT(frame->track_end_ns, 0U);
    gst_buffer_unref(passed);
    return objects;
  }

  std::vector<SeenObject> PushBoxes(int frame, const Detections& boxes,
                                    const char* label = "person") {
    GstBuffer* buffer = NewFrame(frame * 40 * GST_MSECOND);
    for (const Detection& box : boxes) AddDetection(buffer, label, box, kWidth, kHeight);
    return Push(buffer);
  }

  GstHarness* harness_ = nullptr;
};

TEST_F(SlTrackTest, ReplacesDetectionsByConfirmedTracks) {
  Open("sltrack min-hits=3");
  EXPECT_TRUE(PushBoxes(0, {Box(10)}).empty());
  EXPECT_TRUE(PushBoxes(1, {Box(12)}).empty());
  const auto objects = PushBoxes(2, {Box(14, 0.75F, 4)}, "person");
  EXPECT_TRUE(objects.empty()) << "another class is another object";
  PushBoxes(3, {Box(14)});
  PushBoxes(4, {Box(16)});
  const auto tracks = PushBoxes(5, {Box(18, 0.75F)});
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].label, "person");
  EXPECT_EQ(tracks[0].id, 1U);
  EXPECT_EQ(tracks[0].frames_since_detection, 0U);
  EXPECT_FLOAT_EQ(tracks[0].box.confidence, 0.75F);
  EXPECT_NEAR(tracks[0].box.left, 18, 1.5);
  EXPECT_NEAR(tracks[0].box.height, 80, 0.5);
}

TEST_F(SlTrackTest, KeepsClassesApartByLabelAlone) {
  Open("sltrack min-hits=1");
  // Regions of an element that gives labels and no numbers.
  GstBuffer* buffer = NewFrame(0);
  gst_buffer_add_video_region_of_interest_meta(buffer, "face", 10, 100, 40, 80);
  GstBuffer* passed = gst_harness_push_and_pull(harness_, buffer);
  gst_buffer_unref(passed);
  const auto person = PushBoxes(1, {Box(10)}, "person");
  const auto car = PushBoxes(2, {Box(10)}, "car");
  ASSERT_EQ(person.size(), 1U);
  ASSERT_EQ(car.size(), 1U);
  EXPECT_EQ(car[0].label, "car");
  EXPECT_NE(person[0].id, car[0].id);
}

TEST_F(SlTrackTest, PredictsWhereTheDetectorSkipped) {
  Open("sltrack min-hits=2");
  const auto push = [this](int number, bool inferred) {
    GstBuffer* buffer = NewFrame(number * 40 * GST_MSECOND);
    SlFrameMeta* frame = AddFrameMeta(buffer);
    frame->sequence = number;
    frame->inferred = inferred;
    if (inferred) AddDetection(buffer, "person", Box(5.0F * number), kWidth, kHeight);
    return Push(buffer);
  };
  for (int number = 0; number < 60; ++number) {
    const bool inferred = number % 3 == 0;
    const auto tracks = push(number, inferred);
    if (number < 3) continue;
    ASSERT_EQ(tracks.size(), 1U) << "frame " << number;
    EXPECT_EQ(tracks[0].id, 1U);
    EXPECT_EQ(tracks[0].frames_since_detection, static_cast<guint>(number % 3));
    EXPECT_EQ(tracks[0].box.confidence > 0, inferred);
    if (number < 20) continue;  // until then the velocity is being learnt
    EXPECT_NEAR(tracks[0].box.left, 5.0F * number, 2) << "frame " << number;
  }
}

TEST_F(SlTrackTest, TakesTheTimeStepFromTheSequence) {
  Open("sltrack max-lost-frames=10");
  const auto push = [this](guint64 number, bool seen) {
    GstBuffer* buffer = NewFrame(GST_CLOCK_TIME_NONE);
    AddFrameMeta(buffer)->sequence = number;
    if (seen) AddDetection(buffer, "person", Box(10), kWidth, kHeight);
    return Push(buffer);
  };
  push(0, true);
  ASSERT_EQ(push(1, true).size(), 1U);
  push(9, false);
  ASSERT_EQ(push(10, true).size(), 1U) << "away for 9 frames";
  push(22, false);  // away for 12
  push(23, true);
  const auto tracks = push(24, true);
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].id, 2U);
}

TEST_F(SlTrackTest, TakesTheTimeStepFromTheClockOtherwise) {
  Open("sltrack max-lost-frames=10");
  PushBoxes(0, {Box(10)});
  PushBoxes(1, {Box(10)});
  PushBoxes(13, {});  // 12 frame intervals later
  PushBoxes(14, {Box(10)});
  const auto tracks = PushBoxes(15, {Box(10)});
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].id, 2U);
}

TEST_F(SlTrackTest, EmitsLostTracksOnRequest) {
  Open("sltrack emit-lost=true");
  for (int frame = 0; frame < 10; ++frame) PushBoxes(frame, {Box(5.0F * frame)});
  const auto lost = PushBoxes(10, {});
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost[0].frames_since_detection, 1U);
  EXPECT_EQ(lost[0].box.confidence, 0);
  g_object_set(gst_harness_find_element(harness_, "sltrack"), "emit-lost", FALSE, nullptr);
  EXPECT_TRUE(PushBoxes(11, {}).empty()) << "properties change while playing";
}

TEST_F(SlTrackTest, AFlushEndsTracksAndGivesNoIdTwice) {
  Open("sltrack");
  PushBoxes(0, {Box(10)});
  ASSERT_EQ(PushBoxes(1, {Box(10)}).at(0).id, 1U);
  gst_harness_push_event(harness_, gst_event_new_flush_start());
  gst_harness_push_event(harness_, gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness_, gst_event_new_segment(&segment));
  EXPECT_TRUE(PushBoxes(0, {Box(10)}).empty());
  EXPECT_EQ(PushBoxes(1, {Box(10)}).at(0).id, 2U);
}

TEST_F(SlTrackTest, ANewPictureSizeEndsTracks) {
  Open("sltrack");
  PushBoxes(0, {Box(10)});
  ASSERT_EQ(PushBoxes(1, {Box(10)}).size(), 1U);
  gst_harness_set_src_caps_str(harness_,
                               "video/x-raw,format=GRAY8,width=320,height=240,framerate=25/1");
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 320 * 240, nullptr);
  AddDetection(buffer, "person", Box(10), 320, 240);
  EXPECT_TRUE(Push(buffer).empty());
}

TEST_F(SlTrackTest, KeepsBoxesExactly) {
  Open("sltrack min-hits=1");
  const Detection odd = {10.25F, 33.625F, 41.5F, 77.125F, 0.8125F, 5};
  GstBuffer* buffer = NewFrame(0);
  AddDetection(buffer, "person", odd, kWidth, kHeight);
  const auto tracks = Push(buffer);
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_NEAR(tracks[0].box.left, odd.left, 1e-3);
  EXPECT_NEAR(tracks[0].box.top, odd.top, 1e-3);
  EXPECT_NEAR(tracks[0].box.width, odd.width, 1e-3);
  EXPECT_NEAR(tracks[0].box.height, odd.height, 1e-3);
  EXPECT_EQ(tracks[0].box.class_id, 5);
}

}  // namespace
}  // namespace sightline::test
