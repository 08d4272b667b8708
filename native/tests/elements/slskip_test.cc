#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

constexpr int kFrames = 60;

struct Codec {
  const char* name;
  const char* encode;
  const char* decode;
  int key_frames;
  int reference_frames;
};

class SlSkipTest : public testing::TestWithParam<Codec> {
 protected:
  static std::string Pipeline(const std::string& skip) {
    return "videotestsrc pattern=ball num-buffers=" + std::to_string(kFrames) +
           " ! video/x-raw,format=I420,width=160,height=120,framerate=25/1 ! " + GetParam().encode +
           " ! slskip name=skip skip=" + skip + " ! " + GetParam().decode +
           " ! fakesink name=sink sync=false signal-handoffs=true";
  }

  // Pictures that came out of the decoder.
  static int Decoded(const std::string& skip, guint64* skipped) {
    TestPipeline pipeline(Pipeline(skip));
    int count = 0;
    const Element sink = pipeline.Find("sink");
    g_signal_connect(sink.get(), "handoff",
                     G_CALLBACK(+[](GstElement*, GstBuffer*, GstPad*, int* seen) { ++*seen; }),
                     &count);
    EXPECT_EQ(pipeline.RunToEnd(), "");
    g_object_get(pipeline.Find("skip").get(), "frames-skipped", skipped, nullptr);
    return count;
  }
};

TEST_P(SlSkipTest, LeavesOutWhatNeedNotBeDecoded) {
  guint64 skipped = 0;
  EXPECT_EQ(Decoded("none", &skipped), kFrames);
  EXPECT_EQ(skipped, 0U);
  EXPECT_EQ(Decoded("non-reference", &skipped), GetParam().reference_frames);
  EXPECT_EQ(skipped, static_cast<guint64>(kFrames - GetParam().reference_frames));
  EXPECT_EQ(Decoded("non-key", &skipped), GetParam().key_frames);
  EXPECT_EQ(skipped, static_cast<guint64>(kFrames - GetParam().key_frames));
}

// With a key frame in 15 and two B-frames between others: I BBP BBP BBP BBP BBI...
INSTANTIATE_TEST_SUITE_P(
    Codecs, SlSkipTest,
    testing::Values(
        Codec{"H264ByteStream",
              "x264enc bframes=2 b-adapt=false b-pyramid=false key-int-max=15 "
              "option-string=scenecut=0:open-gop=0 ! "
              "video/x-h264,stream-format=byte-stream ! h264parse",
              "avdec_h264 max-threads=1", 4, 24},
        Codec{"H264Avc",
              "x264enc bframes=2 b-adapt=false b-pyramid=false key-int-max=15 "
              "option-string=scenecut=0:open-gop=0 ! h264parse ! video/x-h264,stream-format=avc",
              "avdec_h264 max-threads=1", 4, 24},
        Codec{"H264WithoutBFrames",
              "x264enc tune=zerolatency key-int-max=15 option-string=scenecut=0 ! h264parse",
              "avdec_h264 max-threads=1", 4, kFrames},
        Codec{"H265",
              "x265enc key-int-max=15 "
              "option-string=bframes=2:b-adapt=0:b-pyramid=0:scenecut=0:open-gop=0 ! h265parse",
              "avdec_h265 max-threads=1", 4, 24}),
    [](const auto& info) { return info.param.name; });

// Sends one picture at a time and tells which come out.
class Feeder {
 public:
  Feeder() : harness_(gst_harness_new("slskip")) {
    gst_harness_set_src_caps_str(harness_, "video/x-h264,stream-format=byte-stream,alignment=au");
  }
  ~Feeder() { gst_harness_teardown(harness_); }

  void Set(const char* skip) { gst_util_set_object_arg(G_OBJECT(harness_->element), "skip", skip); }

  // 'K' a key frame, 'P' one that others need, 'b' one that none needs.
  std::string Push(const std::string& pictures) {
    std::string passed;
    for (const char kind : pictures) {
      const guint8 nal = kind == 'K' ? 0x65 : kind == 'P' ? 0x41 : 0x01;
      const guint8 bytes[] = {0, 0, 0, 1, nal, 0x88};
      GstBuffer* buffer = gst_buffer_new_memdup(bytes, sizeof bytes);
      if (kind != 'K') GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
      EXPECT_EQ(gst_harness_push(harness_, buffer), GST_FLOW_OK);
      GstBuffer* out = gst_harness_try_pull(harness_);
      if (out == nullptr) continue;
      passed += kind;
      gst_buffer_unref(out);
    }
    return passed;
  }

 private:
  GstHarness* harness_;
};

TEST(SlSkipChangeTest, NothingThatCannotBeDecodedPassesAfterAChange) {
  Feeder feeder;
  EXPECT_EQ(feeder.Push("KPbP"), "KPbP");
  feeder.Set("non-key");
  EXPECT_EQ(feeder.Push("PbPKPb"), "K");
  feeder.Set("none");
  // What follows needs pictures that were left out, until the next key frame.
  EXPECT_EQ(feeder.Push("PbPKPbP"), "KPbP");
  feeder.Set("non-reference");
  EXPECT_EQ(feeder.Push("PbbPKb"), "PPK");
  feeder.Set("none");
  EXPECT_EQ(feeder.Push("bP"), "bP");
}

TEST(SlSkipChangeTest, LeavingOutNonReferencePicturesAfterKeyFramesAloneWaits) {
  Feeder feeder;
  feeder.Set("non-key");
  EXPECT_EQ(feeder.Push("KPP"), "K");
  feeder.Set("non-reference");
  EXPECT_EQ(feeder.Push("PbKPb"), "KP");
}

TEST(SlSkipChangeTest, ACodecItDoesNotKnowLosesOnlyDeltaUnits) {
  TestPipeline pipeline(
      "videotestsrc num-buffers=20 ! video/x-raw,width=64,height=48 ! jpegenc ! "
      "slskip name=skip skip=non-key ! jpegdec ! fakesink");
  EXPECT_EQ(pipeline.RunToEnd(), "");
  guint64 skipped = 1;
  g_object_get(pipeline.Find("skip").get(), "frames-skipped", &skipped, nullptr);
  EXPECT_EQ(skipped, 0U);
}

}  // namespace
}  // namespace sightline::test
