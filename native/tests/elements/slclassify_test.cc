#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/detector_files.h"
#include "tests/support/frame_buffers.h"

// The model gives the mean of each channel, so that an object's colour is its label and its
// brightness the confidence.

namespace sightline::test {
namespace {

constexpr int kWidth = 320, kHeight = 240;
constexpr char kCaps[] = "video/x-raw,format=BGRx,width=320,height=240,framerate=25/1";

struct Label {
  std::string attribute;
  std::string label;
  double confidence = 0;
  guint component = 0;
  gint value = -1;
};

struct Colour {
  guint8 red, green, blue;
};

class SlClassifyTest : public testing::Test {
 protected:
  void SetUp() override { files_.Write("colours.txt", "red;green;blue\n"); }
  void TearDown() override {
    if (harness_ != nullptr) gst_harness_teardown(harness_);
  }

  std::string Config(const std::string& more = "") {
    return files_.Write("cls.txt",
                        "[property]\nprocess-mode=2\nnetwork-type=1\ngie-unique-id=2\n"
                        "labelfile-path=colours.txt\nclassifier-type=colour\n"
                        "onnx-file=" +
                            FixtureModel("wrong-rank.onnx") +
                            "\nnet-scale-factor=0.00392156862745098\n" + more + "\n");
  }

  void Open(const std::string& more = "", const std::string& properties = "") {
    const std::string text = "slclassify name=classify config-file-path=" + Config(more) +
                             " onnxruntime-library=" + OnnxRuntime() + " " + properties;
    harness_ = gst_harness_new_parse(text.c_str());
    gst_harness_set_src_caps_str(harness_, kCaps);
  }

  static GstBuffer* NewFrame(guint64 sequence) {
    GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 4 * kWidth * kHeight, nullptr);
    gst_buffer_memset(buffer, 0, 0, gst_buffer_get_size(buffer));
    AddFrameMeta(buffer)->sequence = sequence;
    return buffer;
  }

  // Paints a box and says that a detector found it; `id` 0: it is not tracked.
  static void AddObject(GstBuffer* buffer, const Detection& box, Colour colour, guint64 id = 0,
                        guint component = 1) {
    GstMapInfo map;
    ASSERT_TRUE(gst_buffer_map(buffer, &map, GST_MAP_WRITE));
    for (int y = static_cast<int>(box.top); y < box.top + box.height; ++y) {
      for (int x = static_cast<int>(box.left); x < box.left + box.width; ++x) {
        guint8* pixel = map.data + 4 * (y * kWidth + x);
        pixel[0] = colour.blue;
        pixel[1] = colour.green;
        pixel[2] = colour.red;
      }
    }
    gst_buffer_unmap(buffer, &map);
    auto* region = gst_buffer_add_video_region_of_interest_meta(
        buffer, "car", static_cast<guint>(box.left), static_cast<guint>(box.top),
        static_cast<guint>(box.width), static_cast<guint>(box.height));
    gst_video_region_of_interest_meta_add_param(
        region,
        gst_structure_new("detection", "label_id", G_TYPE_INT, box.class_id, "confidence",
                          G_TYPE_DOUBLE, 0.9, "component", G_TYPE_UINT, component, nullptr));
    if (id == 0) return;
    gst_video_region_of_interest_meta_add_param(
        region, gst_structure_new("tracking", "id", G_TYPE_UINT64, id, "frames_since_detection",
                                  G_TYPE_UINT, 0, nullptr));
  }

  // The labels of each object, in their order.
  std::vector<std::vector<Label>> Push(GstBuffer* buffer) {
    GstBuffer* passed = gst_harness_push_and_pull(harness_, buffer);
    std::vector<std::vector<Label>> objects;
    gpointer state = nullptr;
    while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
               passed, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
      auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
      objects.emplace_back();
      for (const GList* item = region->params; item != nullptr; item = item->next) {
        const auto* structure = static_cast<const GstStructure*>(item->data);
        if (!gst_structure_has_name(structure, "classification")) continue;
        Label label;
        label.attribute = gst_structure_get_string(structure, "attribute");
        label.label = gst_structure_get_string(structure, "label");
        EXPECT_TRUE(gst_structure_get(structure, "confidence", G_TYPE_DOUBLE, &label.confidence,
                                      "component", G_TYPE_UINT, &label.component, "value",
                                      G_TYPE_INT, &label.value, nullptr));
        objects.back().push_back(label);
      }
    }
    gst_buffer_unref(passed);
    return objects;
  }

  guint64 Read(const char* counter) {
    GstElement* element = gst_harness_find_element(harness_, "slclassify");
    guint64 value = 0;
    g_object_get(element, counter, &value, nullptr);
    gst_object_unref(element);
    return value;
  }

  DetectorFiles files_;
  GstHarness* harness_ = nullptr;
};

const Detection kLeft = {20, 30, 50, 60, 0.9F, 2};
const Detection kRight = {200, 100, 40, 40, 0.9F, 2};

TEST_F(SlClassifyTest, NamesTheColourOfEachObject) {
  Open("classifier-threshold=0.3\nbatch-size=4");
  GstBuffer* buffer = NewFrame(0);
  AddObject(buffer, kLeft, {255, 0, 0});
  AddObject(buffer, kRight, {0, 102, 51});
  AddObject(buffer, {100, 10, 20, 20, 0.9F, 2}, {50, 60, 70});
  const auto objects = Push(buffer);
  ASSERT_EQ(objects.size(), 3U);
  ASSERT_EQ(objects[0].size(), 1U);
  EXPECT_EQ(objects[0][0].attribute, "colour");
  EXPECT_EQ(objects[0][0].label, "red");
  EXPECT_NEAR(objects[0][0].confidence, 1, 1e-5);
  EXPECT_EQ(objects[0][0].component, 2U);
  EXPECT_EQ(objects[0][0].value, 0);
  ASSERT_EQ(objects[1].size(), 1U);
  EXPECT_EQ(objects[1][0].label, "green");
  EXPECT_NEAR(objects[1][0].confidence, 0.4, 1e-5);
  EXPECT_TRUE(objects[2].empty()) << "no label is likely enough";
  EXPECT_EQ(Read("objects-inferred"), 3U);
}

TEST_F(SlClassifyTest, TakesMoreObjectsThanABatchHolds) {
  Open("batch-size=3");
  GstBuffer* buffer = NewFrame(0);
  for (int i = 0; i < 11; ++i) {
    const guint8 bright = static_cast<guint8>(100 + 10 * i);
    const Colour colour = i % 3 == 0   ? Colour{bright, 0, 0}
                          : i % 3 == 1 ? Colour{0, bright, 0}
                                       : Colour{0, 0, bright};
    AddObject(buffer, {static_cast<float>(25 * i), 5, 20, 20, 0.9F, 0}, colour);
  }
  const auto objects = Push(buffer);
  ASSERT_EQ(objects.size(), 11U);
  for (size_t i = 0; i < objects.size(); ++i) {
    ASSERT_EQ(objects[i].size(), 1U) << i;
    EXPECT_EQ(objects[i][0].value, static_cast<gint>(i % 3)) << i;
    EXPECT_NEAR(objects[i][0].confidence, (100 + 10.0 * i) / 255, 1e-5) << i;
  }
}

TEST_F(SlClassifyTest, LooksOnlyAtObjectsThatTheConfigurationChooses) {
  Open(
      "operate-on-gie-id=1\noperate-on-class-ids=2;5\ninput-object-min-width=16\n"
      "input-object-min-height=20\ninput-object-max-width=60");
  GstBuffer* buffer = NewFrame(0);
  AddObject(buffer, {0, 0, 30, 30, 0.9F, 2}, {255, 0, 0});
  AddObject(buffer, {40, 0, 30, 30, 0.9F, 3}, {255, 0, 0});        // another class
  AddObject(buffer, {80, 0, 15, 30, 0.9F, 2}, {255, 0, 0});        // too narrow
  AddObject(buffer, {120, 0, 30, 19, 0.9F, 2}, {255, 0, 0});       // too low
  AddObject(buffer, {160, 0, 70, 30, 0.9F, 2}, {255, 0, 0});       // too wide
  AddObject(buffer, {0, 60, 30, 30, 0.9F, 5}, {255, 0, 0}, 0, 3);  // of another detector
  const auto objects = Push(buffer);
  std::vector<size_t> labels;
  for (const auto& object : objects) labels.push_back(object.size());
  EXPECT_EQ(labels, (std::vector<size_t>{1, 0, 0, 0, 0, 0}));
  EXPECT_EQ(Read("objects"), 1U);
}

TEST_F(SlClassifyTest, LooksAgainAtATrackedObjectOnlyAfterTheInterval) {
  Open("secondary-reinfer-interval=10");
  for (guint64 frame = 0; frame < 23; ++frame) {
    GstBuffer* buffer = NewFrame(frame);
    // It turns from red to blue; the label follows when it is looked at again.
    AddObject(buffer, kLeft, frame < 5 ? Colour{255, 0, 0} : Colour{0, 0, 255}, 7);
    const auto objects = Push(buffer);
    ASSERT_EQ(objects[0].size(), 1U) << frame;
    EXPECT_EQ(objects[0][0].label, frame < 11 ? "red" : "blue") << frame;
  }
  EXPECT_EQ(Read("objects"), 23U);
  EXPECT_EQ(Read("objects-inferred"), 3U);
}

TEST_F(SlClassifyTest, LooksAtObjectsWithoutATrackOnEachFrame) {
  Open("secondary-reinfer-interval=10");
  for (guint64 frame = 0; frame < 5; ++frame) {
    GstBuffer* buffer = NewFrame(frame);
    AddObject(buffer, kLeft, {255, 0, 0});
    Push(buffer);
  }
  EXPECT_EQ(Read("objects-inferred"), 5U);
}

TEST_F(SlClassifyTest, ForgetsObjectsAtAFlush) {
  Open();
  GstBuffer* buffer = NewFrame(0);
  AddObject(buffer, kLeft, {255, 0, 0}, 7);
  Push(buffer);
  gst_harness_push_event(harness_, gst_event_new_flush_start());
  gst_harness_push_event(harness_, gst_event_new_flush_stop(TRUE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(harness_, gst_event_new_segment(&segment));
  buffer = NewFrame(1);
  AddObject(buffer, kLeft, {0, 0, 255}, 7);
  EXPECT_EQ(Push(buffer)[0][0].label, "blue");
}

TEST_F(SlClassifyTest, TwoClassifiersEachAddTheirLabels) {
  const std::string first = Config();
  const std::string second =
      files_.Write("cls2.txt",
                   "[property]\nprocess-mode=2\nnetwork-type=1\ngie-unique-id=3\n"
                   "labelfile-path=colours.txt\nclassifier-type=paint\nonnx-file=" +
                       FixtureModel("wrong-rank.onnx") +
                       "\nnet-scale-factor=0.00392156862745098\nmodel-color-format=1\n");
  const std::string library = " onnxruntime-library=" + OnnxRuntime();
  harness_ = gst_harness_new_parse(("slclassify config-file-path=" + first + library +
                                    " ! slclassify config-file-path=" + second + library)
                                       .c_str());
  gst_harness_set_src_caps_str(harness_, kCaps);
  GstBuffer* buffer = NewFrame(0);
  AddObject(buffer, kLeft, {255, 0, 0});
  const auto objects = Push(buffer);
  std::map<std::string, std::string> labels;
  for (const Label& label : objects[0]) labels[label.attribute] = label.label;
  // The second reads the channels the other way round.
  EXPECT_EQ(labels, (std::map<std::string, std::string>{{"colour", "red"}, {"paint", "blue"}}));
}

TEST_F(SlClassifyTest, KeepsTheAspectWithBlackAround) {
  Open("maintain-aspect-ratio=1\nclassifier-threshold=0.1");
  GstBuffer* buffer = NewFrame(0);
  // A square in an input of 64x48: three quarters are picture.
  AddObject(buffer, kRight, {255, 0, 0});
  EXPECT_NEAR(Push(buffer)[0][0].confidence, 0.75, 1e-3);
}

TEST_F(SlClassifyTest, SaysWhatDoesNotFit) {
  const auto refusal = [this](const std::string& config) {
    GstElement* element = gst_element_factory_make("slclassify", nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    g_object_set(element, "config-file-path", config.c_str(), "onnxruntime-library",
                 OnnxRuntime().c_str(), nullptr);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    GstMessage* message = gst_bus_timed_pop_filtered(bus, 0, GST_MESSAGE_ERROR);
    std::string text = "no error";
    if (message != nullptr) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      text = error->message;
      g_error_free(error);
      gst_message_unref(message);
    }
    gst_element_set_state(element, GST_STATE_NULL);
    gst_object_unref(element);
    gst_object_unref(bus);
    return text;
  };
  EXPECT_NE(refusal(files_.WriteConfig(FixtureModel("fixed-boxes.onnx")))
                .find("this is a detector; slclassify runs classifiers, slinfer detectors"),
            std::string::npos);
  files_.Write("colours.txt", "red;green\n");
  EXPECT_NE(refusal(Config()).find("one output with a probability for each of its 2 labels"),
            std::string::npos);
  EXPECT_NE(refusal("").find("config-file-path is not set"), std::string::npos);
}

}  // namespace
}  // namespace sightline::test
