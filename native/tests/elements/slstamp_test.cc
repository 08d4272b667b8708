#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

constexpr char kCamera[] =
    "videotestsrc is-live=true pattern=ball num-buffers=%d ! "
    "video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! ";

std::string Camera(int frames) {
  std::string text = kCamera;
  return text.replace(text.find("%d"), 2, std::to_string(frames));
}

// Writes a picture's own time over its capture time, so that it shows on which picture the meta
// ends.
GstPadProbeReturn NameByPts(GstPad*, GstPadProbeInfo* info, gpointer) {
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  FrameMetaOf(buffer)->capture_unix_ns = GST_BUFFER_PTS(buffer);
  return GST_PAD_PROBE_OK;
}

struct Codec {
  const char* name;
  const char* encode;
  const char* decode;
};

class SlStampCodecTest : public testing::TestWithParam<Codec> {};

TEST_P(SlStampCodecTest, MetaReachesItsPicture) {
  constexpr int kFrames = 30;
  TestPipeline pipeline(Camera(kFrames) + GetParam().encode +
                        " ! slstamp name=receive stage=receive ! " + GetParam().decode +
                        " ! slstamp name=decode stage=decode ! appsink name=out sync=false");
  const Element receive = pipeline.Find("receive");
  GstPad* pad = gst_element_get_static_pad(receive.get(), "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, NameByPts, nullptr, nullptr);
  gst_object_unref(pad);
  ASSERT_NE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING), GST_STATE_CHANGE_FAILURE);

  GstClockTime last_pts = 0;
  for (guint64 expected = 0; expected < kFrames; ++expected) {
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample) << "picture " << expected;
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    const SlFrameMeta* frame = FrameMetaOf(buffer);
    ASSERT_NE(frame, nullptr) << "picture " << expected;
    EXPECT_EQ(gst_buffer_get_n_meta(buffer, FrameMetaInfo()->api), 1U);
    EXPECT_EQ(frame->sequence, expected);
    EXPECT_EQ(frame->capture_unix_ns, GST_BUFFER_PTS(buffer)) << "picture " << expected;
    EXPECT_GT(GST_BUFFER_PTS(buffer), last_pts);
    last_pts = GST_BUFFER_PTS(buffer);
    EXPECT_GT(frame->receive_ns, 0U);
    EXPECT_GT(frame->decode_end_ns, frame->receive_ns);
  }
  guint64 packets = 0, pictures = 0, last_ns = 0;
  g_object_get(receive.get(), "frames", &packets, nullptr);
  g_object_get(pipeline.Find("decode").get(), "frames", &pictures, "last-frame-ns", &last_ns,
               nullptr);
  EXPECT_EQ(pictures, static_cast<guint64>(kFrames));
  EXPECT_GT(packets, pictures) << "pictures come in several packets";
  EXPECT_NEAR(static_cast<double>(last_ns), g_get_monotonic_time() * 1e3, 5e9);
}

INSTANTIATE_TEST_SUITE_P(
    Codecs, SlStampCodecTest,
    testing::Values(
        Codec{"H264", "x264enc tune=zerolatency ! rtph264pay mtu=300",
              "rtph264depay ! h264parse ! avdec_h264 max-threads=1"},
        // Pictures that are decoded in another order than they are shown.
        Codec{"H264WithBFrames",
              "x264enc bframes=2 b-adapt=false rc-lookahead=3 key-int-max=15 ! rtph264pay mtu=300",
              "rtph264depay ! h264parse ! avdec_h264 max-threads=1"},
        Codec{"H264ByNal", "x264enc tune=zerolatency ! rtph264pay mtu=300",
              "rtph264depay ! video/x-h264,alignment=nal ! h264parse ! avdec_h264 max-threads=1"},
        Codec{"Jpeg", "jpegenc ! rtpjpegpay mtu=300", "rtpjpegdepay ! jpegdec"}),
    [](const auto& info) { return info.param.name; });

constexpr guint64 kWholePictures = 10;

// Noise in place of a picture's last third, from the eleventh on. Bytes above 3: no start code, no
// escaping.
GstPadProbeReturn Damage(GstPad*, GstPadProbeInfo* info, gpointer seen) {
  if (++*static_cast<guint64*>(seen) <= kWholePictures) return GST_PAD_PROBE_OK;
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const gsize size = gst_buffer_get_size(buffer);
  for (gsize at = size * 2 / 3; at < size; ++at) {
    const auto noise = static_cast<guint8>(4 + at * 31 % 251);
    gst_buffer_fill(buffer, at, &noise, 1);
  }
  return GST_PAD_PROBE_OK;
}

guint64 CorruptPictures(bool damaged, guint64 frames) {
  TestPipeline pipeline(
      "videotestsrc pattern=snow num-buffers=" + std::to_string(frames) +
      " ! video/x-raw,format=I420,width=320,height=240 ! x264enc name=encode tune=zerolatency "
      "threads=1 key-int-max=1000 ! video/x-h264,stream-format=byte-stream ! h264parse ! "
      "avdec_h264 max-threads=1 ! slstamp name=decode stage=decode ! fakesink sync=false");
  guint64 seen = 0;
  GstPad* pad = gst_element_get_static_pad(pipeline.Find("encode").get(), "src");
  if (damaged) gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, Damage, &seen, nullptr);
  gst_object_unref(pad);
  EXPECT_EQ(pipeline.RunToEnd(), "");
  guint64 pictures = 0, corrupt = 0;
  g_object_get(pipeline.Find("decode").get(), "frames", &pictures, "frames-corrupt", &corrupt,
               nullptr);
  EXPECT_EQ(pictures, frames);
  return corrupt;
}

TEST(SlStampTest, PicturesThatTheDecoderPatchedUpAreCounted) {
  EXPECT_EQ(CorruptPictures(false, 30), 0U);
  // Now and then noise reads as a picture to its end.
  const guint64 corrupt = CorruptPictures(true, 60);
  EXPECT_GT(corrupt, (60 - kWholePictures) / 2);
  EXPECT_LE(corrupt, 60 - kWholePictures);
}

TEST(SlStampTest, PicturesThatTheDecoderMarkedAreCounted) {
  GstHarness* harness = gst_harness_new_parse("slstamp stage=decode");
  gst_harness_set_src_caps_str(harness, "video/x-raw,format=I420,width=2,height=2");
  for (const bool marked : {false, true, false}) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 6, nullptr);
    if (marked) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
    gst_buffer_unref(gst_harness_push_and_pull(harness, buffer));
  }
  guint64 corrupt = 0;
  GstElement* element = gst_harness_find_element(harness, "slstamp");
  g_object_get(element, "frames-corrupt", &corrupt, nullptr);
  EXPECT_EQ(corrupt, 1U);
  gst_object_unref(element);
  gst_harness_teardown(harness);
}

TEST(SlStampTest, APictureWasReceivedWithItsFirstPacket) {
  GstHarness* harness = gst_harness_new_parse("slstamp stage=receive");
  gst_harness_set_src_caps_str(harness, "application/x-rtp,media=video,clock-rate=90000");
  // Three packets: two of one picture, one of the next.
  const guint8 packets[3][12] = {{0x80, 96, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4},
                                 {0x80, 96, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4},
                                 {0x80, 96, 0, 3, 0, 0, 9, 9, 1, 2, 3, 4}};
  guint64 received[3] = {};
  for (int i = 0; i < 3; ++i) {
    GstBuffer* sent = gst_buffer_new_memdup(packets[i], sizeof packets[i]);
    GstBuffer* passed = gst_harness_push_and_pull(harness, sent);
    const SlFrameMeta* frame = FrameMetaOf(passed);
    received[i] = frame->receive_ns;
    EXPECT_EQ(frame->capture_clock, SL_CAPTURE_CLOCK_ARRIVAL);
    EXPECT_NEAR(static_cast<double>(frame->capture_unix_ns), g_get_real_time() * 1e3, 5e9);
    EXPECT_EQ(frame->sequence, SL_NO_SEQUENCE);
    gst_buffer_unref(passed);
  }
  EXPECT_EQ(received[0], received[1]);
  EXPECT_LT(received[1], received[2]);
  gst_harness_teardown(harness);
}

TEST(SlStampTest, GarbageInsteadOfRtpPassesUnharmed) {
  GstHarness* harness = gst_harness_new_parse("slstamp stage=receive");
  gst_harness_set_src_caps_str(harness, "application/x-rtp,media=video,clock-rate=90000");
  GstBuffer* passed = gst_harness_push_and_pull(harness, gst_buffer_new_memdup("garbage", 7));
  ASSERT_NE(passed, nullptr);
  EXPECT_EQ(gst_buffer_memcmp(passed, 0, "garbage", 7), 0);
  gst_buffer_unref(passed);
  gst_harness_teardown(harness);
}

TEST(SlStampTest, OnePictureInManyPassesAndEachKeepsItsNumber) {
  GstHarness* harness = gst_harness_new_parse("slstamp stage=decode drop-interval=3");
  GstElement* element = gst_harness_find_element(harness, "slstamp");
  gst_harness_set_src_caps_str(harness, "video/x-raw,format=GRAY8,width=1,height=1,framerate=1/1");
  const auto push = [harness](int count) {
    std::vector<guint64> passed;
    for (int i = 0; i < count; ++i) {
      gst_harness_push(harness, gst_buffer_new_memdup("x", 1));
      GstBuffer* out = gst_harness_try_pull(harness);
      if (out == nullptr) continue;
      passed.push_back(FrameMetaOf(out)->sequence);
      gst_buffer_unref(out);
    }
    return passed;
  };
  EXPECT_EQ(push(8), (std::vector<guint64>{0, 3, 6}));
  g_object_set(element, "drop-interval", 0, nullptr);
  EXPECT_EQ(push(2), (std::vector<guint64>{8, 9}));
  g_object_set(element, "drop-interval", 2, nullptr);
  EXPECT_EQ(push(4), (std::vector<guint64>{11, 13}));
  guint64 frames = 0, dropped = 0;
  g_object_get(element, "frames", &frames, "frames-dropped", &dropped, nullptr);
  EXPECT_EQ(frames, 14U);
  EXPECT_EQ(dropped, 7U);
  gst_object_unref(element);
  gst_harness_teardown(harness);
}

TEST(SlStampTest, PacketsAreNotDropped) {
  GstHarness* harness = gst_harness_new_parse("slstamp stage=receive drop-interval=3");
  gst_harness_set_src_caps_str(harness, "application/x-rtp,media=video,clock-rate=90000");
  for (int i = 0; i < 5; ++i) {
    gst_buffer_unref(gst_harness_push_and_pull(harness, gst_buffer_new_memdup("garbage", 7)));
  }
  gst_harness_teardown(harness);
}

TEST(SlStampTest, ARecordingAdvancesByMediaTime) {
  TestPipeline pipeline(
      "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=48,framerate=25/1 ! "
      "slstamp stage=decode ! appsink name=out sync=false");
  const guint64 before = static_cast<guint64>(g_get_real_time()) * 1000;
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  guint64 first = 0;
  for (guint64 i = 0; i < 50; ++i) {
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample);
    const SlFrameMeta* frame = FrameMetaOf(gst_sample_get_buffer(sample.get()));
    if (i == 0) first = frame->capture_unix_ns;
    EXPECT_EQ(frame->capture_clock, SL_CAPTURE_CLOCK_MEDIA);
    EXPECT_EQ(frame->capture_unix_ns - first, i * 40 * GST_MSECOND);
  }
  EXPECT_GE(first, before);
}

TEST(SlStampTest, ALiveSourceIsStampedOnArrival) {
  TestPipeline pipeline(Camera(2) + "slstamp stage=decode ! appsink name=out sync=false");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  const SlFrameMeta* frame = FrameMetaOf(gst_sample_get_buffer(sample.get()));
  EXPECT_EQ(frame->capture_clock, SL_CAPTURE_CLOCK_ARRIVAL);
}

TEST(SlStampTest, CountsFromZeroInEverySession) {
  TestPipeline pipeline(
      "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! "
      "slstamp name=decode stage=decode ! appsink name=out sync=false");
  for (int session = 0; session < 3; ++session) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    for (guint64 expected = 0; expected < 5; ++expected) {
      const Sample sample = pipeline.Pull();
      ASSERT_TRUE(sample);
      EXPECT_EQ(FrameMetaOf(gst_sample_get_buffer(sample.get()))->sequence, expected);
    }
    ASSERT_TRUE(pipeline.SetState(GST_STATE_NULL));
  }
}

}  // namespace
}  // namespace sightline::test
