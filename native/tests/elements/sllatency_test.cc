#include <gst/check/gstharness.h>
#include <gst/check/gsttestclock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

std::string Skipped(GstElement* element) {
  gchar* text = nullptr;
  g_object_get(element, "skipped-by-reason", &text, nullptr);
  std::string result = text;
  g_free(text);
  return result;
}

// Elements on a clock that the test moves: a frame is as old as the test says.
class AgedFrames {
 public:
  AgedFrames(const char* elements, const char* caps) : harness_(gst_harness_new_parse(elements)) {
    gst_harness_use_testclock(harness_);
    gst_harness_set_src_caps_str(harness_, caps);
  }
  ~AgedFrames() { gst_harness_teardown(harness_); }

  GstHarness* harness() const { return harness_; }
  Element Find(const char* factory) const {
    return Element(gst_harness_find_element(harness_, factory));
  }

  // Sends a picture that came `age_ms` ago; whether it passed.
  bool Push(guint64 age_ms, bool key = true) {
    GstBuffer* buffer = gst_buffer_new_memdup("\0\0\0\1\x41\x88", 6);
    if (!key) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    now_ += 10 * GST_SECOND;
    GST_BUFFER_PTS(buffer) = now_ - age_ms * GST_MSECOND;
    gst_harness_set_time(harness_, now_);
    EXPECT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK);
    GstBuffer* out = gst_harness_try_pull(harness_);
    if (out == nullptr) return false;
    gst_buffer_unref(out);
    return true;
  }
  // "K80 P20": a key frame 80 ms old, then one that needs it, 20 ms old. Gives those that passed.
  std::string Push(const std::vector<std::string>& pictures) {
    std::string passed;
    for (const std::string& picture : pictures) {
      if (Push(std::stoul(picture.substr(1)), picture[0] == 'K')) passed += picture + " ";
    }
    return passed;
  }
  void Report(const char* drop, guint64 budget_ms, guint64 sequence, bool late) {
    GstStructure* structure = gst_structure_new(
        "SlLatencyReport", "drop", G_TYPE_INT, g_str_equal(drop, "newest") ? 1 : 2, "budget-ns",
        G_TYPE_UINT64, budget_ms * GST_MSECOND, "sequence", G_TYPE_UINT64, sequence, "late",
        G_TYPE_BOOLEAN, static_cast<gboolean>(late), nullptr);
    gst_harness_push_upstream_event(harness_,
                                    gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure));
  }

 private:
  GstHarness* harness_;
  GstClockTime now_ = 0;
};

constexpr char kPictures[] = "video/x-raw,format=GRAY8,width=2,height=3,framerate=25/1";
constexpr char kH264[] = "video/x-h264,stream-format=byte-stream,alignment=au";

TEST(SlLatencyTest, FramesOlderThanTheBudgetAreLeftOutAndCounted) {
  AgedFrames frames("sllatency budget-ms=100", kPictures);
  EXPECT_TRUE(frames.Push(0));
  EXPECT_TRUE(frames.Push(100));
  EXPECT_FALSE(frames.Push(101));
  EXPECT_FALSE(frames.Push(5000));
  EXPECT_TRUE(frames.Push(99));
  const Element element = frames.Find("sllatency");
  EXPECT_EQ(Skipped(element.get()), "{\"budget-oldest\":2}");
  guint64 age = 0;
  g_object_get(element.get(), "last-age-ns", &age, nullptr);
  EXPECT_EQ(age, 99 * GST_MSECOND);
}

TEST(SlLatencyTest, TheBudgetChangesWhileFramesPass) {
  AgedFrames frames("sllatency", kPictures);
  EXPECT_TRUE(frames.Push(5000));
  const Element element = frames.Find("sllatency");
  g_object_set(element.get(), "budget-ms", 50, nullptr);
  EXPECT_FALSE(frames.Push(60));
  gst_util_set_object_arg(G_OBJECT(element.get()), "drop", "newest");
  EXPECT_TRUE(frames.Push(60)) << "what waits is kept";
  gst_util_set_object_arg(G_OBJECT(element.get()), "drop", "oldest");
  g_object_set(element.get(), "budget-ms", 0, nullptr);
  EXPECT_TRUE(frames.Push(60));
}

TEST(SlLatencyTest, NewPicturesAreRefusedUntilThoseThatWaitAreThrough) {
  AgedFrames frames("slstamp stage=decode", kPictures);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(frames.Push(0));  // 0 to 3 wait in the queue
  frames.Report("newest", 100, 0, true);
  EXPECT_FALSE(frames.Push(0));
  frames.Report("newest", 100, 2, true);
  EXPECT_FALSE(frames.Push(0));
  frames.Report("newest", 100, 3, true);
  EXPECT_TRUE(frames.Push(0)) << "nothing waits any more";
  EXPECT_FALSE(frames.Push(0));
  frames.Report("newest", 100, 3, false);
  EXPECT_TRUE(frames.Push(0)) << "nothing is late any more";
  const Element stamp = frames.Find("slstamp");
  EXPECT_EQ(Skipped(stamp.get()), "{\"drop-interval\":0,\"budget-newest\":3}");
}

TEST(SlLatencyTest, KeyFramesAloneAreDecodedUntilTheStreamHasCaughtUp) {
  AgedFrames frames("slskip ! sllatency budget-ms=100 drop=non-key", kH264);
  EXPECT_EQ(frames.Push({"K0", "P40", "P100"}), "K0 P40 P100 ");
  EXPECT_EQ(frames.Push({"P101", "P30", "P30"}), "") << "what follows cannot be decoded";
  EXPECT_EQ(frames.Push({"K90", "P60", "K51", "P20"}), "K90 K51 ") << "not well within yet";
  EXPECT_EQ(frames.Push({"K49", "P49", "P99"}), "K49 P49 P99 ");
  const Element skip = frames.Find("slskip");
  EXPECT_EQ(Skipped(skip.get()), "{\"skip-frames\":0,\"non-key\":5}");
}

TEST(SlLatencyTest, ALateFrameBehindTheDecoderIsEnoughForKeyFramesAlone) {
  AgedFrames frames("slskip", kH264);
  frames.Report("non-key", 100, 0, false);
  EXPECT_EQ(frames.Push({"K0", "P0"}), "K0 P0 ");
  frames.Report("non-key", 100, 1, true);
  EXPECT_EQ(frames.Push({"P0", "P0", "K0", "P0"}), "K0 P0 ") << "tried again at each key frame";
  frames.Report("non-key", 100, 3, true);
  frames.Report("non-key", 0, 4, false);
  EXPECT_EQ(frames.Push({"P0"}), "P0 ") << "no budget, and nothing was left out yet";
}

TEST(SlLatencyTest, WithoutTimesThereIsNoAge) {
  GstHarness* harness = gst_harness_new_parse("sllatency budget-ms=1");
  gst_harness_set_src_caps_str(harness, kPictures);
  GstBuffer* passed = gst_harness_push_and_pull(harness, gst_buffer_new_memdup("xxxxxx", 6));
  ASSERT_NE(passed, nullptr);
  gst_buffer_unref(passed);
  gst_harness_teardown(harness);
}

guint64 Number(const TestPipeline& pipeline, const char* element, const char* property) {
  guint64 value = 0;
  g_object_get(pipeline.Find(element).get(), property, &value, nullptr);
  return value;
}

// Every number of a frame is accounted for: it left as metadata, or as a gap that slmeta reports.
TEST(SlLatencyTest, ASlowDetectorGetsWhatWaitsAndNothingIsLostUncounted) {
  TestPipeline pipeline(
      "videotestsrc is-live=true num-buffers=50 ! "
      "video/x-raw,format=GRAY8,width=16,height=16,framerate=50/1 ! "
      "slstamp name=stamp stage=decode ! queue max-size-buffers=4 max-size-bytes=0 max-size-time=0 "
      "! sllatency name=latency budget-ms=60 drop=newest ! identity sleep-time=50000 ! "
      "slmeta name=meta stream-id=cam ! fakesink sync=false");
  EXPECT_EQ(pipeline.RunToEnd(), "");
  const guint64 decoded = Number(pipeline, "stamp", "frames");
  const guint64 refused = Number(pipeline, "stamp", "frames-dropped");
  const guint64 published = Number(pipeline, "meta", "frames");
  EXPECT_EQ(decoded, 50U);
  EXPECT_GT(refused, 10U) << "it takes 20 a second";
  EXPECT_EQ(published + refused, decoded);
  // Those behind the last published one came too late to be a gap.
  EXPECT_LE(Number(pipeline, "meta", "frames-skipped"), refused);
}

// A decoder that cannot keep up, and a source that keeps what it has not taken: the backlog grows
// upstream, and key frames alone bring it down.
TEST(SlLatencyTest, ASlowDecoderCatchesUpWithKeyFramesAlone) {
  const auto age_at_end = [](const char* budget, guint64* skipped) {
    TestPipeline pipeline(
        std::string("videotestsrc is-live=true num-buffers=100 ! "
                    "video/x-raw,format=I420,width=64,height=48,framerate=50/1 ! x264enc "
                    "tune=zerolatency key-int-max=10 option-string=scenecut=0 ! h264parse ! queue "
                    "max-size-buffers=0 max-size-bytes=0 max-size-time=0 ! slskip name=skip ! "
                    "avdec_h264 max-threads=1 ! identity sleep-time=40000 ! slstamp stage=decode ! "
                    "queue leaky=downstream max-size-buffers=1 ! sllatency name=latency "
                    "drop=non-key budget-ms=") +
        budget + " ! fakesink sync=false");
    EXPECT_EQ(pipeline.RunToEnd(), "");
    *skipped = Number(pipeline, "skip", "frames-skipped");
    return Number(pipeline, "latency", "last-age-ns") / GST_MSECOND;
  };
  guint64 skipped = 0;
  EXPECT_GT(age_at_end("0", &skipped), 1000U);
  EXPECT_EQ(skipped, 0U);
  EXPECT_LT(age_at_end("300", &skipped), 700U);
  EXPECT_GT(skipped, 20U);
}

}  // namespace
}  // namespace sightline::test
