#include <gst/app/gstappsrc.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "tests/support/detector_files.h"
#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

constexpr char kSource[] =
    "videotestsrc name=source pattern=white num-buffers=%d ! "
    "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1 ! ";

std::string Source(int frames, const char* format = "RGB", int width = 128, int height = 96) {
  char text[256];
  g_snprintf(text, sizeof(text), kSource, frames, format, width, height);
  return text;
}

constexpr char kSink[] = "! appsink name=out sync=false max-buffers=100";

guint64 Counter(const TestPipeline& pipeline, const char* name) {
  guint64 value = 0;
  g_object_get(pipeline.Find("infer").get(), name, &value, nullptr);
  return value;
}

void ExpectObject(const SeenObject& object, const char* label, int class_id, float confidence,
                  float left, float top, float width, float height) {
  EXPECT_EQ(object.label, label);
  EXPECT_EQ(object.box.class_id, class_id);
  EXPECT_NEAR(object.box.confidence, confidence, 1e-6);
  EXPECT_NEAR(object.box.left, left, 1e-3);
  EXPECT_NEAR(object.box.top, top, 1e-3);
  EXPECT_NEAR(object.box.width, width, 1e-3);
  EXPECT_NEAR(object.box.height, height, 1e-3);
}

class SlInferTest : public testing::Test {
 protected:
  std::string Detector(const std::string& config_lines = "", const std::string& properties = "",
                       const std::string& model = "fixed-boxes.onnx") {
    return files_.Launch(files_.WriteConfig(FixtureModel(model), config_lines), properties);
  }

  // The objects of the first frame.
  std::vector<SeenObject> FirstObjects(const std::string& source, const std::string& detector,
                                       int width, int height) {
    TestPipeline pipeline(source + detector + kSink);
    EXPECT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
    const Sample sample = pipeline.Pull();
    if (!sample) {
      ADD_FAILURE() << pipeline.WaitForEnd();
      return {};
    }
    return ObjectsOn(gst_sample_get_buffer(sample.get()), width, height);
  }

  DetectorFiles files_;
};

TEST_F(SlInferTest, AddsBoxesInSourcePixelsBestFirst) {
  const auto objects = FirstObjects(Source(1), Detector("net-scale-factor=0.00392156862"), 128, 96);
  ASSERT_EQ(objects.size(), 3u);
  // White is 1 after scaling, the mean of which is the third row's score.
  ExpectObject(objects[0], "sign", 2, 1.0f, 0, 0, 128, 96);
  // Clipped: the model's box ends at 80 of 64 pixels.
  ExpectObject(objects[1], "car", 1, 0.75f, 64, 48, 64, 48);
  ExpectObject(objects[2], "person", 0, 0.5f, 16, 12, 32, 24);
}

TEST_F(SlInferTest, AppliesMeansAndScale) {
  const auto objects =
      FirstObjects(Source(1), Detector("net-scale-factor=0.005\noffsets=55;105;155"), 128, 96);
  ASSERT_EQ(objects.size(), 3u);
  // ((255-55) + (255-105) + (255-155)) / 3 * 0.005
  EXPECT_NEAR(objects[0].box.confidence, 0.75, 1e-5);
}

TEST_F(SlInferTest, LeavesBlackBesideAPictureThatKeepsItsAspect) {
  // 128x48 becomes 64x24 of 64x48: half the input is white.
  const auto objects = FirstObjects(
      Source(1, "RGB", 128, 48),
      Detector("net-scale-factor=0.00392156862\nmaintain-aspect-ratio=1\nsymmetric-padding=1"), 128,
      48);
  ASSERT_EQ(objects.size(), 3u);
  ExpectObject(objects[0], "car", 1, 0.75f, 64, 24, 64, 24);
  ExpectObject(objects[1], "person", 0, 0.5f, 16, 0, 32, 12);
  ExpectObject(objects[2], "sign", 2, 0.5f, 0, 0, 128, 48);
}

TEST_F(SlInferTest, TakesEveryRawFormat) {
  const std::string detector = Detector("net-scale-factor=0.00392156862");
  for (int f = GST_VIDEO_FORMAT_I420; f <= GST_VIDEO_FORMAT_ARGB64_BE; ++f) {
    const auto* info = gst_video_format_get_info(static_cast<GstVideoFormat>(f));
    // Those without packing functions cannot be made by videoconvert either.
    if (info->pack_func == nullptr || f == GST_VIDEO_FORMAT_RGB8P) continue;
    const char* format = GST_VIDEO_FORMAT_INFO_NAME(info);
    const std::string source =
        "videotestsrc pattern=white num-buffers=1 ! "
        "video/x-raw,format=AYUV64,width=130,height=98 ! videoconvert ! "
        "video/x-raw,format=" +
        std::string(format) + " ! ";
    const auto objects = FirstObjects(source, detector, 130, 98);
    ASSERT_EQ(objects.size(), 3u) << format;
    // In the gray formats videoconvert leaves white at 235 of 255.
    EXPECT_NEAR(objects[0].box.confidence, 1, strstr(format, "GRAY") ? 0.09 : 0.02) << format;
    EXPECT_EQ(objects[0].label, "sign") << format;
  }
}

TEST_F(SlInferTest, KeepsTimestampsFlagsAndOtherMetas) {
  TestPipeline pipeline(std::string("appsrc name=in format=time caps=\"video/x-raw,format=RGB,"
                                    "width=64,height=48,framerate=25/1\" ! ") +
                        Detector() + kSink);
  ASSERT_TRUE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 48 * 3, nullptr);
  gst_buffer_memset(buffer, 0, 7, 64 * 48 * 3);
  GST_BUFFER_PTS(buffer) = 3 * GST_SECOND;
  GST_BUFFER_DTS(buffer) = 2 * GST_SECOND;
  GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
  GST_BUFFER_OFFSET(buffer) = 75;
  GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_MARKER);
  gst_buffer_add_video_region_of_interest_meta(buffer, "zone", 1, 2, 3, 4);
  AddFrameMeta(buffer)->sequence = 41;
  const GstMemory* memory = gst_buffer_peek_memory(buffer, 0);
  const Element source = pipeline.Find("in");
  // A second reference makes the buffer read-only, as a tee does.
  gst_buffer_ref(buffer);
  ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer), GST_FLOW_OK);
  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  GstBuffer* out = gst_sample_get_buffer(sample.get());
  EXPECT_NE(out, buffer);
  EXPECT_EQ(gst_buffer_peek_memory(out, 0), memory) << "the picture was copied";
  EXPECT_EQ(GST_BUFFER_PTS(out), 3 * GST_SECOND);
  EXPECT_EQ(GST_BUFFER_DTS(out), 2 * GST_SECOND);
  EXPECT_EQ(GST_BUFFER_DURATION(out), 40 * GST_MSECOND);
  EXPECT_EQ(GST_BUFFER_OFFSET(out), 75u);
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(out, GST_BUFFER_FLAG_MARKER));
  EXPECT_EQ(gst_buffer_get_n_meta(out, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 4u);
  EXPECT_EQ(FrameMetaOf(out)->sequence, 41u);
  EXPECT_EQ(gst_buffer_get_n_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE), 1u);
  gst_buffer_unref(buffer);
}

TEST_F(SlInferTest, WithoutAGpuTheCpuRunsTheModelAndAWarningSaysWhy) {
  TestPipeline pipeline(Source(1) + Detector("", "execution-provider=cuda") + kSink);
  ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  const SlFrameMeta* meta = FrameMetaOf(gst_sample_get_buffer(sample.get()));
  EXPECT_STREQ(g_quark_to_string(meta->execution_provider), "CPUExecutionProvider");
  EXPECT_EQ(Counter(pipeline, "objects"), 3u);

  gchar *in_use = nullptr, *reason = nullptr;
  g_object_get(pipeline.Find("infer").get(), "provider-in-use", &in_use, "fallback-reason", &reason,
               nullptr);
  EXPECT_STREQ(in_use, "CPUExecutionProvider");
  EXPECT_EQ(std::string(reason).rfind("CUDAExecutionProvider: ", 0), 0u) << reason;
  GstBus* bus = gst_element_get_bus(pipeline.get());
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
  gst_object_unref(bus);
  ASSERT_NE(message, nullptr);
  GError* warning = nullptr;
  const GstStructure* details = nullptr;
  gst_message_parse_warning(message, &warning, nullptr);
  gst_message_parse_warning_details(message, &details);
  EXPECT_EQ(warning->message, std::string("CPUExecutionProvider runs the model: ") + reason);
  EXPECT_STREQ(gst_structure_get_string(details, "sl-code"), "SL_GPU_UNAVAILABLE");
  g_error_free(warning);
  gst_message_unref(message);
  g_free(in_use);
  g_free(reason);
}

TEST_F(SlInferTest, TellsWhatRanAndWhen) {
  TestPipeline pipeline(Source(1) + Detector("", "model-version=2.1") + kSink);
  ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  const SlFrameMeta* meta = FrameMetaOf(gst_sample_get_buffer(sample.get()));
  ASSERT_NE(meta, nullptr);
  EXPECT_TRUE(meta->inferred);
  EXPECT_GT(meta->infer_start_ns, 0u);
  EXPECT_GE(meta->infer_end_ns, meta->infer_start_ns);
  EXPECT_STREQ(g_quark_to_string(meta->model_name), "fixed-boxes");
  EXPECT_STREQ(g_quark_to_string(meta->model_version), "2.1");
  EXPECT_STREQ(g_quark_to_string(meta->execution_provider), "CPUExecutionProvider");
  EXPECT_EQ(Counter(pipeline, "frames"), 1u);
  EXPECT_EQ(Counter(pipeline, "frames-inferred"), 1u);
  EXPECT_EQ(Counter(pipeline, "objects"), 3u);
  EXPECT_EQ(Counter(pipeline, "last-infer-ns"), meta->infer_end_ns - meta->infer_start_ns);
}

TEST_F(SlInferTest, InfersEveryNthFrameAndThePropertyWins) {
  const std::string config = Detector("interval=1", "interval=2");
  TestPipeline pipeline(Source(7) + config + kSink);
  ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
  std::string ran;
  while (const Sample sample = pipeline.Pull()) {
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    const SlFrameMeta* meta = FrameMetaOf(buffer);
    ran += meta->inferred ? '1' : '0';
    EXPECT_EQ(ObjectsOn(buffer, 128, 96).size(), meta->inferred ? 3u : 0u);
    EXPECT_EQ(meta->infer_start_ns > 0, static_cast<bool>(meta->inferred));
  }
  EXPECT_EQ(ran, "1001001");
  EXPECT_EQ(Counter(pipeline, "frames"), 7u);
  EXPECT_EQ(Counter(pipeline, "frames-inferred"), 3u);
}

// Sets the interval just before some frames.
GstPadProbeReturn SetIntervalBefore(GstPad* pad, GstPadProbeInfo*, gpointer data) {
  int* frame = static_cast<int*>(data);
  GstElement* infer = GST_PAD_PARENT(pad);
  if (*frame == 4) g_object_set(infer, "interval", 1, nullptr);
  if (*frame == 8) g_object_set(infer, "interval", 0, nullptr);
  ++*frame;
  return GST_PAD_PROBE_OK;
}

TEST_F(SlInferTest, TakesANewIntervalWhileFramesPass) {
  TestPipeline pipeline(Source(12) + Detector("", "interval=100") + kSink);
  int frame = 0;
  GstPad* pad = gst_element_get_static_pad(pipeline.Find("infer").get(), "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, SetIntervalBefore, &frame, nullptr);
  gst_object_unref(pad);
  ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
  std::string ran;
  while (const Sample sample = pipeline.Pull()) {
    ran += FrameMetaOf(gst_sample_get_buffer(sample.get()))->inferred ? '1' : '0';
  }
  EXPECT_EQ(ran, "100001011111");
}

// Changes the detector just before some frames.
struct Change {
  int before_frame;
  const char* property;
  std::string value;
};
struct Changes {
  std::vector<Change> changes;
  int frame = 0;

  static GstPadProbeReturn Before(GstPad* pad, GstPadProbeInfo*, gpointer data) {
    auto* self = static_cast<Changes*>(data);
    for (const Change& change : self->changes) {
      if (change.before_frame != self->frame) continue;
      gst_util_set_object_arg(G_OBJECT(GST_PAD_PARENT(pad)), change.property, change.value.c_str());
    }
    ++self->frame;
    return GST_PAD_PROBE_OK;
  }
};

class SlInferChangeTest : public SlInferTest {
 protected:
  // What is seen on each frame, as "sign1 car2|...": label and track.
  std::string Run(int frames, std::vector<Change> wanted) {
    Changes changes{std::move(wanted)};
    TestPipeline pipeline(Source(frames) + Detector("net-scale-factor=0.00392156862") +
                          "! sltrack min-hits=1 track-high-threshold=0.4 new-track-threshold=0.4 " +
                          kSink);
    const Element infer = pipeline.Find("infer");
    GstPad* pad = gst_element_get_static_pad(infer.get(), "sink");
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, Changes::Before, &changes, nullptr);
    gst_object_unref(pad);
    EXPECT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
    std::string seen;
    while (const Sample sample = pipeline.Pull()) {
      std::string frame;
      for (const auto& object : ObjectsOn(gst_sample_get_buffer(sample.get()), 128, 96)) {
        frame += object.label + std::to_string(object.id) + " ";
      }
      seen += frame + "|";
    }
    EXPECT_EQ(Counter(pipeline, "frames-inferred"), static_cast<guint64>(frames)) << "none is lost";
    GstBus* bus = gst_element_get_bus(pipeline.get());
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING)) {
      GError* error = nullptr;
      gst_message_parse_warning(message, &error, nullptr);
      warning_ += error->message;
      g_error_free(error);
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    gchar* path = nullptr;
    g_object_get(infer.get(), "config-file-path", &path, nullptr);
    path_ = path;
    g_free(path);
    return seen;
  }
  // A file like the one the detector starts with, but for what is given.
  std::string Other(const std::string& name, const std::string& threshold,
                    const std::string& more = "") {
    return files_.Write(name, "[property]\nonnx-file=" + FixtureModel("fixed-boxes.onnx") +
                                  "\nlabelfile-path=labels.txt\nnum-detected-classes=3\n"
                                  "net-scale-factor=0.00392156862\ncluster-mode=4\n"
                                  "parse-bbox-func-name=SightlineParseCenterNet\n" +
                                  more + "\n[class-attrs-all]\npre-cluster-threshold=" + threshold +
                                  "\n");
  }

  std::string warning_;
  std::string path_;
};

TEST_F(SlInferChangeTest, ANewThresholdHoldsFromTheNextFrameOnAndIdsGoOn) {
  const std::string strict = Other("strict.txt", "0.6");
  const std::string lax = Other("lax.txt", "0.3");
  EXPECT_EQ(Run(5, {{2, "config-file-path", strict}, {4, "config-file-path", lax}}),
            "sign1 car2 person3 |sign1 car2 person3 |sign1 car2 |sign1 car2 |"
            "sign1 car2 person3 |");
  EXPECT_EQ(warning_, "");
  EXPECT_EQ(path_, lax);
}

TEST_F(SlInferChangeTest, OtherClassesAreLeftOutFromTheNextFrameOn) {
  EXPECT_EQ(Run(4, {{1, "filter-out-class-ids", "0;2"},
                    {2, "interval", "0"},
                    {3, "filter-out-class-ids", ""}}),
            "sign1 car2 person3 |car2 |car2 |sign1 car2 person3 |");
}

TEST_F(SlInferChangeTest, WhatNeedsAnotherNetworkIsRefusedAndNothingChanges) {
  const std::string all = "sign1 car2 person3 |";
  const std::string other = Other("other.txt", "0.6", "maintain-aspect-ratio=1");
  EXPECT_EQ(Run(3, {{1, "config-file-path", other}}), all + all + all);
  EXPECT_NE(warning_.find("other.txt: maintain-aspect-ratio differs from"), std::string::npos)
      << warning_;
  EXPECT_NE(path_, other);
  EXPECT_EQ(Run(3, {{1, "config-file-path", "/nowhere.txt"}}), all + all + all);
  EXPECT_NE(warning_.find("/nowhere.txt"), std::string::npos) << warning_;
  EXPECT_EQ(Run(3, {{1, "filter-out-class-ids", "7"}}), all + all + all);
}

TEST_F(SlInferTest, LeavesOutClasses) {
  const auto objects = FirstObjects(
      Source(1), Detector("filter-out-class-ids=0", "filter-out-class-ids=\"1;2\""), 128, 96);
  ASSERT_EQ(objects.size(), 1u);
  EXPECT_EQ(objects[0].label, "person");
}

TEST_F(SlInferTest, FollowsANewPictureSize) {
  TestPipeline pipeline("appsrc name=in format=time ! " + Detector() + kSink);
  ASSERT_TRUE(gst_element_set_state(pipeline.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE);
  const Element source = pipeline.Find("in");
  for (const int width : {64, 640}) {
    GstCaps* caps = gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "GRAY8", "width",
                                        G_TYPE_INT, width, "height", G_TYPE_INT, 48, "framerate",
                                        GST_TYPE_FRACTION, 0, 1, nullptr);
    gst_app_src_set_caps(GST_APP_SRC(source.get()), caps);
    gst_caps_unref(caps);
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, static_cast<gsize>(width * 48), nullptr);
    gst_buffer_memset(buffer, 0, 0, static_cast<gsize>(width * 48));
    ASSERT_EQ(gst_app_src_push_buffer(GST_APP_SRC(source.get()), buffer), GST_FLOW_OK);
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample);
    const auto objects = ObjectsOn(gst_sample_get_buffer(sample.get()), width, 48);
    ASSERT_EQ(objects.size(), 2u);  // black leaves the third without a score
    ExpectObject(objects[1], "person", 0, 0.5f, 0.125f * static_cast<float>(width), 6,
                 0.25f * static_cast<float>(width), 12);
  }
}

TEST_F(SlInferTest, StartsAgainAndAgain) {
  TestPipeline pipeline(Source(-1) + Detector() + "! fakesink sync=false");
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
    ASSERT_GE(Counter(pipeline, "frames"), 1u);
    ASSERT_TRUE(pipeline.SetState(GST_STATE_NULL));
  }
}

TEST_F(SlInferTest, HasDocumentedPropertiesWithNvinfersDefaults) {
  const Element element(
      GST_ELEMENT(gst_object_ref_sink(gst_element_factory_make("slinfer", nullptr))));
  guint count = 0;
  GParamSpec** specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count);
  for (guint i = 0; i < count; ++i) EXPECT_GT(strlen(g_param_spec_get_blurb(specs[i])), 5u);
  g_free(specs);
  guint unique_id = 0, batch_size = 0, interval = 1, threads = 0;
  g_object_get(element.get(), "unique-id", &unique_id, "batch-size", &batch_size, "interval",
               &interval, "intra-op-threads", &threads, nullptr);
  EXPECT_EQ(unique_id, 15u);
  EXPECT_EQ(batch_size, 1u);
  EXPECT_EQ(interval, 0u);
  EXPECT_EQ(threads, 1u);
  g_object_set(element.get(), "unique-id", 3, "interval", 4, "config-file-path", "x.txt",
               "filter-out-class-ids", "1;2", nullptr);
  gchar *path = nullptr, *ids = nullptr;
  g_object_get(element.get(), "unique-id", &unique_id, "interval", &interval, "config-file-path",
               &path, "filter-out-class-ids", &ids, nullptr);
  EXPECT_EQ(unique_id, 3u);
  EXPECT_EQ(interval, 4u);
  EXPECT_STREQ(path, "x.txt");
  EXPECT_STREQ(ids, "1;2");
  g_free(path);
  g_free(ids);
}

// Two streams of different pictures in one batch give what each gives alone.
TEST_F(SlInferTest, BatchesStreamsWithoutMixingThem) {
  const std::string config =
      files_.WriteConfig(FixtureModel("fixed-boxes.onnx"), "net-scale-factor=0.00392156862");
  const auto branch = [&](const char* pattern, int number) {
    const std::string id = std::to_string(number);
    return "videotestsrc num-buffers=20 pattern=" + std::string(pattern) +
           " ! video/x-raw,format=RGB,width=64,height=48 ! slinfer name=infer" + id +
           " batch-size=2 batch-wait-us=200000 config-file-path=" + config +
           " onnxruntime-library=" + OnnxRuntime() + " ! appsink name=out" + id +
           " sync=false max-buffers=100 ";
  };
  TestPipeline pipeline(branch("white", 1) + branch("black", 2));
  ASSERT_TRUE(pipeline.SetState(GST_STATE_PLAYING));
  for (const int number : {1, 2}) {
    const std::string id = std::to_string(number);
    int frames = 0;
    while (const Sample sample = pipeline.Pull(("out" + id).c_str())) {
      const auto objects = ObjectsOn(gst_sample_get_buffer(sample.get()), 64, 48);
      // Black's score is 0, which CenterNet's rows have as filling.
      ASSERT_EQ(objects.size(), number == 1 ? 3u : 2u);
      EXPECT_NEAR(objects[0].box.confidence, number == 1 ? 1 : 0.75, 1e-6);
      ++frames;
    }
    EXPECT_EQ(frames, 20);
    guint64 batched = 0;
    g_object_get(pipeline.Find(("infer" + id).c_str()).get(), "frames-batched", &batched, nullptr);
    EXPECT_GE(batched, 15u);
  }
}

TEST_F(SlInferTest, FillsUpAFixedBatch) {
  const auto objects = FirstObjects(Source(1),
                                    Detector("net-scale-factor=0.00392156862\nbatch-size=2",
                                             "batch-wait-us=0", "fixed-boxes-batch2.onnx"),
                                    128, 96);
  ASSERT_EQ(objects.size(), 3u);
  EXPECT_NEAR(objects[0].box.confidence, 1, 1e-6);
}

}  // namespace
}  // namespace sightline::test
