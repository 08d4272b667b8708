#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_camera.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

// Where slstamp may stand and still find the camera's reports.
struct Place {
  const char* name;
  const char* protocol;
  const char* before;  // between rtspsrc and slstamp
};

class SenderReportTest : public testing::TestWithParam<Place> {};

TEST_P(SenderReportTest, GivesTheCamerasClockWithinASecond) {
  const TestCamera camera;
  TestPipeline pipeline("rtspsrc latency=100 location=" + camera.url() +
                        " protocols=" + GetParam().protocol + " ! " + GetParam().before +
                        " slstamp stage=receive ! rtph264depay ! h264parse ! avdec_h264 "
                        "max-threads=1 ! slstamp stage=decode ! appsink name=out sync=false");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);

  constexpr int kLimit = 25 * 25;  // reports come every five seconds or less
  constexpr int kWanted = 25;
  int by_report = 0, fresh = 0;
  double age_s = 0;
  guint64 last_capture = 0;
  for (int i = 0; i < kLimit && fresh < kWanted; ++i) {
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample);
    const SlFrameMeta* frame = FrameMetaOf(gst_sample_get_buffer(sample.get()));
    ASSERT_NE(frame, nullptr);
    if (frame->capture_clock == SL_CAPTURE_CLOCK_ARRIVAL) {
      EXPECT_EQ(by_report, 0) << "a known camera clock is not given up";
      continue;
    }
    ASSERT_EQ(frame->capture_clock, SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT);
    if (by_report > 0) {
      const double capture_step = static_cast<double>(frame->capture_unix_ns - last_capture);
      EXPECT_NEAR(capture_step, 40e6, 20e6) << "pictures are 40 ms apart";
    }
    ++by_report;
    last_capture = frame->capture_unix_ns;
    age_s = (g_get_real_time() * 1e3 - static_cast<double>(frame->capture_unix_ns)) / 1e9;
    // A busy machine's encoder may truly be late for a while; a wrong mapping would stay wrong.
    if (std::abs(age_s) < 1) ++fresh;
  }
  EXPECT_EQ(fresh, kWanted) << "of " << by_report << " pictures by report; the last was " << age_s
                            << " s old";
}

INSTANTIATE_TEST_SUITE_P(Places, SenderReportTest,
                         testing::Values(Place{"Tcp", "tcp", ""}, Place{"Udp", "udp", ""},
                                         Place{"BehindAQueue", "tcp", "queue ! identity !"}),
                         [](const auto& info) { return info.param.name; });

TEST(SenderReportInBinTest, IsFoundFromInsideABin) {
  const TestCamera camera;
  TestPipeline pipeline("rtspsrc latency=100 protocols=tcp location=" + camera.url() + " name=src");
  GError* error = nullptr;
  GstElement* bin = gst_parse_bin_from_description(
      "slstamp stage=receive ! rtph264depay ! appsink name=out sync=false", TRUE, &error);
  ASSERT_EQ(error, nullptr);
  gst_bin_add(GST_BIN(pipeline.get()), bin);
  const auto link = +[](GstElement*, GstPad* pad, gpointer target) {
    GstPad* sink = gst_element_get_static_pad(GST_ELEMENT(target), "sink");
    gst_pad_link(pad, sink);
    gst_object_unref(sink);
  };
  g_signal_connect(pipeline.Find("src").get(), "pad-added", G_CALLBACK(link), bin);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  bool found = false;
  for (int i = 0; i < 25 * 20 && !found; ++i) {
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample);
    const SlFrameMeta* frame = FrameMetaOf(gst_sample_get_buffer(sample.get()));
    found = frame->capture_clock == SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT;
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace sightline::test
