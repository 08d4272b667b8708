#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

guint64 Counter(GstElement* element, const char* name) {
  guint64 value = 0;
  g_object_get(element, name, &value, nullptr);
  return value;
}

class SlSampleTest : public testing::Test {
 protected:
  void TearDown() override { gst_harness_teardown(harness_); }

  void Open(const char* text) {
    harness_ = gst_harness_new_parse(text);
    gst_harness_set_src_caps_str(harness_, "video/x-raw,format=GRAY8,width=8,height=8");
    sample_ = Element(gst_harness_find_element(harness_, "slsample"));
  }
  GstBuffer* NewFrame(GstClockTime pts) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64, nullptr);
    GST_BUFFER_PTS(buffer) = pts;
    return buffer;
  }
  bool IsMarked(GstBuffer* sent) {
    GstBuffer* passed = gst_harness_push_and_pull(harness_, sent);
    const SlFrameMeta* frame = FrameMetaOf(passed);
    const bool marked = frame != nullptr && frame->image;
    EXPECT_TRUE(!marked || frame->capture_unix_ns > 0);
    gst_buffer_unref(passed);
    return marked;
  }
  bool IsMarkedAt(guint ms) { return IsMarked(NewFrame(ms * GST_MSECOND)); }

  GstHarness* harness_ = nullptr;
  Element sample_;
};

TEST_F(SlSampleTest, MarksOneFrameAnInterval) {
  Open("slsample action=mark interval-ms=1000");
  std::vector<guint> marked;
  for (guint ms = 0; ms < 5000; ms += 40) {
    if (IsMarkedAt(ms)) marked.push_back(ms);
  }
  EXPECT_EQ(marked, (std::vector<guint>{0, 1000, 2000, 3000, 4000}));
  EXPECT_EQ(Counter(sample_.get(), "marked"), 5U);
  EXPECT_EQ(Counter(sample_.get(), "passed"), 125U);
  EXPECT_EQ(Counter(sample_.get(), "dropped"), 0U);
}

TEST_F(SlSampleTest, WaitsForMotionOnRequest) {
  Open("slsample interval-ms=1000 when=motion");
  EXPECT_FALSE(IsMarkedAt(0));
  GstBuffer* moved = NewFrame(40 * GST_MSECOND);
  AddFrameMeta(moved)->moved = TRUE;
  EXPECT_TRUE(IsMarked(moved));
}

TEST_F(SlSampleTest, WaitsForObjectsOnRequest) {
  Open("slsample interval-ms=1000 when=objects");
  EXPECT_FALSE(IsMarkedAt(0));
  GstBuffer* with_object = NewFrame(40 * GST_MSECOND);
  gst_buffer_add_video_region_of_interest_meta(with_object, "person", 0, 0, 4, 4);
  EXPECT_TRUE(IsMarked(with_object));
  GstBuffer* too_soon = NewFrame(80 * GST_MSECOND);
  gst_buffer_add_video_region_of_interest_meta(too_soon, "person", 0, 0, 4, 4);
  EXPECT_FALSE(IsMarked(too_soon));
}

TEST_F(SlSampleTest, StartsOverWhenTimeGoesBack) {
  Open("slsample interval-ms=1000");
  EXPECT_TRUE(IsMarkedAt(5000));
  EXPECT_FALSE(IsMarkedAt(5040));
  EXPECT_TRUE(IsMarkedAt(0));
  EXPECT_FALSE(IsMarkedAt(40));
}

TEST_F(SlSampleTest, AnIntervalOfZeroMarksAll) {
  Open("slsample interval-ms=0");
  EXPECT_TRUE(IsMarkedAt(0));
  EXPECT_TRUE(IsMarkedAt(40));
}

TEST_F(SlSampleTest, TheFilterPassesOnlyMarkedFramesAndCopiesNoPixel) {
  Open("slsample action=filter");
  for (int i = 0; i < 6; ++i) {
    GstBuffer* sent = NewFrame(i * 40 * GST_MSECOND);
    if (i != 1) AddFrameMeta(sent)->image = i % 3 == 0;
    gst_buffer_ref(sent);  // shared with another branch
    EXPECT_EQ(gst_harness_push(harness_, sent), GST_FLOW_OK);
    if (i % 3 == 0) {
      GstBuffer* passed = gst_harness_pull(harness_);
      EXPECT_EQ(gst_buffer_peek_memory(passed, 0), gst_buffer_peek_memory(sent, 0));
      gst_buffer_unref(passed);
    }
    EXPECT_EQ(gst_harness_buffers_in_queue(harness_), 0U);
    gst_buffer_unref(sent);
  }
  EXPECT_EQ(Counter(sample_.get(), "passed"), 2U);
  EXPECT_EQ(Counter(sample_.get(), "dropped"), 4U);
}

}  // namespace
}  // namespace sightline::test
