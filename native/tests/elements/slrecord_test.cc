#include <gst/check/gstharness.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

namespace fs = std::filesystem;

constexpr char kSource[] =
    "videotestsrc pattern=ball num-buffers=50 ! video/x-raw,width=160,height=120,framerate=25/1 ! "
    "x264enc key-int-max=10 bframes=0 speed-preset=ultrafast ! h264parse ! ";

class SlRecordTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "record-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Text(const std::string& source, const std::string& more = "") const {
    return source + "slrecord name=record folder=" + folder_ + "/cam session=s " + more;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    if (!fs::exists(folder_ + "/cam")) return names;
    for (const auto& entry : fs::directory_iterator(folder_ + "/cam")) {
      names.insert(entry.path().filename());
    }
    return names;
  }
  std::size_t NotesIn(const std::string& name) const {
    return (fs::file_size(folder_ + "/cam/" + name) - 32) / 32;
  }
  static guint64 Counter(const Element& element, const char* name) {
    guint64 value = 0;
    g_object_get(element.get(), name, &value, nullptr);
    return value;
  }
  static std::string Failure(const Element& element) {
    gchar* text = nullptr;
    g_object_get(element.get(), "failure", &text, nullptr);
    const std::string failure = text;
    g_free(text);
    return failure;
  }

  std::string folder_;
};

TEST_F(SlRecordTest, BeginsAFileAtTheFirstKeyFrameAfterItsTime) {
  TestPipeline pipeline(Text(kSource, "segment-ms=700"));
  ASSERT_EQ(pipeline.RunToEnd(), "");
  // Key frames each 400 ms: files end after 800 ms, the last with the stream.
  EXPECT_EQ(Names(), (std::set<std::string>{"s-000000.mp4", "s-000000.notes", "s-000001.mp4",
                                            "s-000001.notes", "s-000002.mp4", "s-000002.notes"}));
  EXPECT_EQ(NotesIn("s-000000.notes"), 20U);
  EXPECT_EQ(NotesIn("s-000002.notes"), 10U);
  const Element record = pipeline.Find("record");
  EXPECT_EQ(Counter(record, "frames"), 50U);
  EXPECT_EQ(Counter(record, "frames-recorded"), 50U);
  EXPECT_EQ(Counter(record, "frames-lost"), 0U);
  EXPECT_EQ(Counter(record, "segments"), 3U);
}

// Times of all pictures of a file, as a player shows them.
std::vector<GstClockTime> Played(const std::string& path, const std::string& demux) {
  TestPipeline play("filesrc location=" + path + " ! " + demux +
                    " ! h264parse ! avdec_h264 ! appsink name=out sync=false");
  play.SetState(GST_STATE_PLAYING);
  std::vector<GstClockTime> times;
  while (const Sample sample = play.Pull()) {
    times.push_back(GST_BUFFER_PTS(gst_sample_get_buffer(sample.get())));
  }
  return times;
}

TEST_F(SlRecordTest, FilesPlayFromTheirBeginning) {
  for (const char* container : {"mp4", "matroska"}) {
    const std::string suffix = container == std::string("mp4") ? "mp4" : "mkv";
    TestPipeline pipeline(
        Text(kSource, "segment-ms=700 session=" + suffix + " container=" + container));
    ASSERT_EQ(pipeline.RunToEnd(), "");
    const std::vector<GstClockTime> times = Played(folder_ + "/cam/" + suffix + "-000001." + suffix,
                                                   suffix == "mp4" ? "qtdemux" : "matroskademux");
    EXPECT_EQ(times.size(), 20U) << container;
    EXPECT_LT(times.front(), 100 * GST_MSECOND) << container;
  }
}

TEST_F(SlRecordTest, PicturesThatAreShownInAnotherOrderKeepTheirTimes) {
  std::string source = kSource;
  source.replace(source.find("bframes=0"), 9, "bframes=2 b-adapt=false");
  TestPipeline pipeline(Text(source, "segment-ms=700 fragment-ms=200"));
  ASSERT_EQ(pipeline.RunToEnd(), "");
  const std::vector<GstClockTime> times = Played(folder_ + "/cam/s-000001.mp4", "qtdemux");
  ASSERT_EQ(times.size(), 20U);
  EXPECT_LT(times.front(), 100 * GST_MSECOND);
  for (std::size_t i = 1; i < times.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(times[i] - times[i - 1]), 40e6, 1e5) << i;
  }
}

// The number of key frames and other pictures of each fragment (ISO/IEC 14496-12, 8.8.8).
std::vector<std::string> Fragments(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const auto number = [&](std::size_t at) {
    return GST_READ_UINT32_BE(reinterpret_cast<const guint8*>(bytes.data() + at));
  };
  std::vector<std::string> fragments;
  for (std::size_t at = bytes.find("trun"); at != std::string::npos;
       at = bytes.find("trun", at + 4)) {
    std::string pictures;
    for (guint32 i = 0; i < number(at + 8); ++i) {
      pictures += (number(at + 16 + 16 * i + 8) & 0x1'0000) == 0 ? 'K' : '.';
    }
    fragments.push_back(pictures);
  }
  return fragments;
}

TEST_F(SlRecordTest, FragmentsEndWithTheirTimeAndBeforeKeyFrames) {
  TestPipeline pipeline(Text(kSource, "fragment-ms=280"));
  ASSERT_EQ(pipeline.RunToEnd(), "");
  const std::vector<std::string> group = {"K......", "..."};
  std::vector<std::string> expected;
  for (int i = 0; i < 5; ++i) expected.insert(expected.end(), group.begin(), group.end());
  EXPECT_EQ(Fragments(folder_ + "/cam/s-000000.mp4"), expected);
}

TEST_F(SlRecordTest, AnotherSizeBeginsAnotherFile) {
  TestPipeline pipeline(
      Text("concat name=c ! h264parse ! ") +
      "videotestsrc num-buffers=5 ! video/x-raw,width=160,height=120,framerate=25/1 ! x264enc "
      "bframes=0 ! video/x-h264,profile=high ! c. videotestsrc num-buffers=7 ! "
      "video/x-raw,width=320,height=240,framerate=25/1 ! x264enc bframes=0 ! "
      "video/x-h264,profile=high ! c.");
  ASSERT_EQ(pipeline.RunToEnd(), "");
  EXPECT_EQ(NotesIn("s-000000.notes"), 5U);
  EXPECT_EQ(NotesIn("s-000001.notes"), 7U);
  EXPECT_EQ(Counter(pipeline.Find("record"), "segments"), 2U);
}

class SlRecordHarnessTest : public SlRecordTest {
 protected:
  void TearDown() override {
    gst_harness_teardown(harness_);
    SlRecordTest::TearDown();
  }
  void Open(const std::string& more) {
    harness_ = gst_harness_new_parse(Text("", more).c_str());
    record_ = Element(gst_harness_find_element(harness_, "slrecord"));
    // Parameter sets of a picture of 160 by 120.
    gst_harness_set_src_caps_str(
        harness_,
        "video/x-h264,stream-format=avc,alignment=au,width=160,height=120,framerate=25/1,"
        "codec_data=(buffer)0142c00bffe1001a6742c00bda0509f9701100000300010000030032"
        "8f1429e001000468ce3c80");
  }
  // Waits until the recorder's thread has done what came.
  void Settle() {
    gst_harness_push_event(harness_, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                                          gst_structure_new_empty("wake")));
    const gint64 limit = g_get_monotonic_time() + 5 * G_TIME_SPAN_SECOND;
    while (Counter(record_, "frames") !=
           Counter(record_, "frames-lost") + Counter(record_, "frames-recorded")) {
      ASSERT_LT(g_get_monotonic_time(), limit) << "5 s";
      g_thread_yield();
    }
  }
  void Push(GstClockTime pts, std::size_t size, bool key_frame = false) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
    gst_buffer_memset(buffer, 0, 0, size);
    GST_BUFFER_PTS(buffer) = GST_BUFFER_DTS(buffer) = pts;
    if (!key_frame) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    ASSERT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK);
  }

  GstHarness* harness_ = nullptr;
  Element record_;
};

TEST_F(SlRecordHarnessTest, WhatComesBeforeTheFirstKeyFrameIsCountedAsLost) {
  Open("");
  Push(0, 100);
  Push(40 * GST_MSECOND, 100);
  Settle();
  EXPECT_TRUE(Names().empty());
  Push(80 * GST_MSECOND, 100, true);
  Settle();
  EXPECT_EQ(Counter(record_, "frames-lost"), 2U);
  EXPECT_EQ(Counter(record_, "frames-recorded"), 1U);
}

TEST_F(SlRecordHarnessTest, ATimeThatStandsStillHoardsNoMoreThanItMay) {
  Open("max-held-bytes=65536");
  Push(0, 10'000, true);
  for (int i = 0; i < 10; ++i) Push(0, 10'000);
  Settle();
  EXPECT_NE(Failure(record_).find("stands still"), std::string::npos) << Failure(record_);
  EXPECT_EQ(Counter(record_, "frames"), 11U);
  EXPECT_EQ(Counter(record_, "frames-lost") + Counter(record_, "frames-recorded"), 11U);
  EXPECT_GE(Counter(record_, "frames-lost"), 10U);
  EXPECT_EQ(Counter(record_, "segments"), 0U);
}

TEST_F(SlRecordHarnessTest, ATimeThatGoesBackBeginsAFileAtTheNextKeyFrame) {
  Open("");
  Push(10 * GST_SECOND, 100, true);
  Push(10'040 * GST_MSECOND, 100);
  Push(40 * GST_MSECOND, 100, true);
  Settle();
  EXPECT_EQ(Counter(record_, "segments"), 1U);
  EXPECT_EQ(NotesIn("s-000000.notes"), 2U);
}

TEST_F(SlRecordHarnessTest, AFolderThatCannotBeMadeFailsNothingElse) {
  std::ofstream(folder_ + "/cam") << "in the way";
  Open("");
  Push(0, 100, true);
  Push(40 * GST_MSECOND, 100);
  Settle();
  EXPECT_NE(Failure(record_).find("Not a directory"), std::string::npos) << Failure(record_);
  EXPECT_EQ(Counter(record_, "frames-lost"), 2U);
  fs::remove(folder_ + "/cam");
}

// Holds the recorder's thread where it tells of its first file, as a disk that does not answer
// would.
class HangingRecorderTest : public SlRecordHarnessTest {
 protected:
  static constexpr std::size_t kPiece = 1024 * 1024;
  static constexpr guint64 kRoom = 16;  // pieces

  void SetUp() override {
    SlRecordHarnessTest::SetUp();
    Open("");
    bus_ = gst_bus_new();
    gst_bus_set_sync_handler(
        bus_,
        [](GstBus*, GstMessage*, gpointer self) {
          static_cast<HangingRecorderTest*>(self)->hang_.get_future().wait();
          gst_bus_set_sync_handler(static_cast<HangingRecorderTest*>(self)->bus_, nullptr, nullptr,
                                   nullptr);
          return GST_BUS_PASS;
        },
        this, nullptr);
    gst_element_set_bus(record_.get(), bus_);
    source_ = std::thread([this] {
      for (guint64 i = 0; i < kRoom + 4 && flow_ == GST_FLOW_OK; ++i) {
        GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kPiece, nullptr);
        GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
        if (i > 0) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        flow_ = gst_harness_push(harness_, buffer);
        if (flow_ == GST_FLOW_OK) ++pushed_;
      }
    });
    while (Counter(record_, "frames") <= kRoom) g_thread_yield();
  }
  void TearDown() override {
    gst_element_set_bus(record_.get(), nullptr);
    gst_object_unref(bus_);
    SlRecordHarnessTest::TearDown();
  }

  GstBus* bus_ = nullptr;
  std::promise<void> hang_;
  std::thread source_;
  std::atomic<guint64> pushed_{0};
  std::atomic<GstFlowReturn> flow_{GST_FLOW_OK};
};

TEST_F(HangingRecorderTest, WhoeverBringsPicturesWaitsAndNothingIsLost) {
  EXPECT_EQ(pushed_, kRoom);
  hang_.set_value();
  source_.join();
  Settle();
  EXPECT_EQ(Counter(record_, "frames-recorded"), kRoom + 4);
  EXPECT_EQ(Counter(record_, "frames-lost"), 0U);
}

TEST_F(HangingRecorderTest, AFlushLetsGoAndWhatWasRefusedIsLost) {
  gst_harness_push_event(harness_, gst_event_new_flush_start());
  source_.join();
  EXPECT_EQ(flow_, GST_FLOW_FLUSHING);
  hang_.set_value();
  Settle();
  EXPECT_EQ(Counter(record_, "frames-recorded"), kRoom);
  EXPECT_EQ(Counter(record_, "frames-lost"), 1U);
}

TEST_F(SlRecordHarnessTest, AStreamThatIsTakenDownClosesItsFile) {
  Open("");
  Push(0, 100, true);
  Push(40 * GST_MSECOND, 100);
  gst_element_set_state(record_.get(), GST_STATE_NULL);
  EXPECT_EQ(Names(), (std::set<std::string>{"s-000000.mp4", "s-000000.notes"}));
  EXPECT_EQ(NotesIn("s-000000.notes"), 2U);
}

}  // namespace
}  // namespace sightline::test
