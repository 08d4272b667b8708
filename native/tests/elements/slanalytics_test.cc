#include <gst/check/gstharness.h>
#include <gtest/gtest.h>

#include "tests/support/analytics_scenarios.h"
#include "tests/support/frame_buffers.h"
#include "tests/support/message_fields.h"

namespace sightline::test {
namespace {

constexpr char kZones[] =
    "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n"
    "[roi-filtering-stream-0]\nenable=1\nroi-left=0;0;960;0;960;1090;0;1090\n"
    "[line-crossing-stream-0]\nenable=1\nline-crossing-in=500;100;500;900;0;500;1920;500\n";

void AddObject(GstBuffer* buffer, const ScenarioObject& object, int width, int height) {
  const Box& box = object.box;
  AddDetection(buffer, "thing", {box.left, box.top, box.width, box.height, 0.5F, object.class_id},
               width, height);
  gpointer state = nullptr;
  GstMeta* last = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    last = meta;
  }
  gst_video_region_of_interest_meta_add_param(
      reinterpret_cast<GstVideoRegionOfInterestMeta*>(last),
      gst_structure_new("tracking", "id", G_TYPE_UINT64, object.id, "frames_since_detection",
                        G_TYPE_UINT, 0U, nullptr));
}

// What the encoded message of a frame says; its texts live in it.
struct Message {
  explicit Message(const std::string& bytes) : fields(bytes) {
    for (const std::string& object : fields.texts[5]) objects.emplace_back(object);
    if (fields.texts.count(114) == 0) return;
    const MessageFields analytics(fields.text(114));
    for (const auto& zone : analytics.texts.count(1) ? analytics.texts.at(1) : Texts()) {
      zones.emplace_back(zone);
    }
    for (const auto& line : analytics.texts.count(2) ? analytics.texts.at(2) : Texts()) {
      lines.emplace_back(line);
    }
  }
  using Texts = std::vector<std::string>;

  static std::vector<std::string_view> Views(const MessageFields& of, int tag) {
    if (of.texts.count(tag) == 0) return {};
    return {of.texts.at(tag).begin(), of.texts.at(tag).end()};
  }
  void Log(ScenarioLog* log) const {
    FrameAnalytics frame;
    for (const MessageFields& zone : zones) {
      frame.zones.push_back(
          {Views(zone, 1).at(0), static_cast<std::uint32_t>(zone.number(2)), zone.number(3) != 0});
    }
    for (const MessageFields& line : lines) {
      frame.lines.push_back({Views(line, 1).at(0), line.number(2), line.number(3)});
    }
    log->Frame(frame);
    for (const MessageFields& object : objects) {
      const MessageFields results(object.text(103));
      ObjectAnalytics analytics;
      analytics.zones = Views(results, 1);
      analytics.overcrowded_zones = Views(results, 2);
      analytics.lines_crossed = Views(results, 3);
      const std::string direction = results.text(4);
      analytics.direction = direction;
      analytics.stopped = results.number(5) != 0;
      log->Object(std::stoull(object.text(1)), analytics);
    }
    log->NextFrame();
  }

  MessageFields fields;
  std::vector<MessageFields> objects, zones, lines;
};

class SlAnalyticsTest : public testing::Test {
 protected:
  void TearDown() override {
    if (harness_ != nullptr) gst_harness_teardown(harness_);
  }
  void Open(const std::string& elements, int width = 1920, int height = 1080) {
    width_ = width;
    height_ = height;
    harness_ = gst_harness_new_parse((elements + " ! slmeta stream-id=cam").c_str());
    const std::string caps =
        "video/x-raw,format=GRAY8,framerate=25/1,width=" + std::to_string(width) +
        ",height=" + std::to_string(height);
    gst_harness_set_src_caps_str(harness_, caps.c_str());
  }
  Message Push(const std::vector<ScenarioObject>& objects, std::uint64_t pts_ns = 0) {
    GstBuffer* buffer = gst_buffer_new();
    GST_BUFFER_PTS(buffer) = pts_ns;
    for (const ScenarioObject& object : objects) AddObject(buffer, object, width_, height_);
    GstBuffer* message = gst_harness_push_and_pull(harness_, buffer);
    std::string bytes(gst_buffer_get_size(message), '\0');
    gst_buffer_extract(message, 0, bytes.data(), bytes.size());
    gst_buffer_unref(message);
    return Message(bytes);
  }
  // An object whose foot is at x, y.
  static ScenarioObject At(std::uint64_t id, float x, float y) {
    return {id, 0, {x - 20, y - 100, 40, 100}};
  }
  // Walks object 1 over the line of kZones; gives the last message.
  Message Cross(std::uint64_t id) {
    for (int i = 0; i < 12; ++i) Push({At(id, 500, 440 + 10.0F * i)}, ++frame_ * 40 * GST_MSECOND);
    return Push({At(id, 500, 560)}, ++frame_ * 40 * GST_MSECOND);
  }
  GstElement* Element() { return gst_harness_find_element(harness_, "slanalytics"); }

  GstHarness* harness_ = nullptr;
  int width_ = 0, height_ = 0;
  guint64 frame_ = 0;
};

TEST_F(SlAnalyticsTest, GivesWhatTheScenariosRecord) {
  const std::vector<Scenario> scenarios = ReadScenarios();
  ASSERT_FALSE(scenarios.empty());
  for (const Scenario& scenario : scenarios) {
    SCOPED_TRACE(scenario.name);
    const ScenarioFile file(scenario.config);
    Open("slanalytics config-file=" + file.path() + " surface-width=0 surface-height=0",
         scenario.width, scenario.height);
    ScenarioLog log;
    for (const ScenarioFrame& frame : scenario.frames) {
      const Message message = Push(frame.objects, frame.pts_ns);
      ASSERT_EQ(message.objects.size(), frame.objects.size());
      for (std::size_t i = 0; i < frame.objects.size(); ++i) {
        EXPECT_EQ(message.objects[i].text(1), std::to_string(frame.objects[i].id));
      }
      message.Log(&log);
    }
    EXPECT_EQ(log.lines(), scenario.log);
    gst_harness_teardown(harness_);
    harness_ = nullptr;
  }
}

TEST_F(SlAnalyticsTest, MeasuresEveryCameraOnOneSurface) {
  const ScenarioFile file(kZones);
  Open("slanalytics config-file=" + file.path(), 480, 270);  // a quarter of the surface
  Message message = Push({});
  for (int i = 0; i < 12; ++i) {
    message = Push({{1, 0, {120, 85 + 2.5F * i, 10, 25}}}, i * 40 * GST_MSECOND);
  }
  EXPECT_EQ(message.lines.at(0).number(3), 1U);
  EXPECT_EQ(message.zones.at(0).number(2), 1U);
}

TEST_F(SlAnalyticsTest, AddsUpElementsInSeries) {
  const ScenarioFile first(kZones);
  const ScenarioFile second(
      "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n"
      "[roi-filtering-stream-0]\nenable=1\nroi-all=0;0;1920;0;1920;1090;0;1090\n"
      "[overcrowding-stream-0]\nenable=1\nobject-threshold=2\n"
      "roi-left=0;0;960;0;960;1090;0;1090\n");
  Open("slanalytics config-file=" + first.path() + " ! slanalytics config-file=" + second.path());
  ScenarioLog log;
  Push({At(1, 500, 440), At(2, 600, 440), At(3, 1500, 440)}).Log(&log);
  EXPECT_EQ(log.lines(), (std::vector<std::string>{
                             "0 zone all 3",
                             "0 zone left 2 overcrowded",
                             "0 object 1 in all,left",
                             "0 object 1 crowded left",
                             "0 object 2 in all,left",
                             "0 object 2 crowded left",
                             "0 object 3 in all",
                         }));
}

TEST_F(SlAnalyticsTest, StartsOverWithNewRules) {
  const ScenarioFile file(kZones);
  Open("slanalytics config-file=" + file.path());
  EXPECT_EQ(Cross(1).lines.at(0).number(3), 1U);
  EXPECT_EQ(Cross(2).lines.at(0).number(3), 2U);
  GstElement* element = Element();
  guint64 crossings = 0;
  g_object_get(element, "crossings", &crossings, nullptr);
  EXPECT_EQ(crossings, 2U);

  const ScenarioFile other(
      "[property]\nenable=1\nconfig-width=1920\nconfig-height=1080\n"
      "[line-crossing-stream-0]\nenable=1\nline-crossing-out=500;100;500;900;0;500;1920;500\n");
  g_object_set(element, "config-file", other.path().c_str(), nullptr);
  const Message message = Cross(1);
  EXPECT_TRUE(message.zones.empty());
  EXPECT_EQ(message.lines.at(0).text(1), "out");
  EXPECT_EQ(message.lines.at(0).number(3), 1U);
  gst_object_unref(element);
}

TEST_F(SlAnalyticsTest, KeepsItsRulesWhenNewOnesAreBad) {
  const ScenarioFile file(kZones);
  const ScenarioFile bad("[property]\nenable=1\nconfig-with=1920\n");
  Open("slanalytics config-file=" + file.path());
  Cross(1);
  GstElement* element = Element();
  GstBus* bus = gst_bus_new();
  gst_element_set_bus(element, bus);
  g_object_set(element, "config-file", bad.path().c_str(), nullptr);
  GstMessage* warning = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING);
  ASSERT_NE(warning, nullptr);
  GError* reason = nullptr;
  gst_message_parse_warning(warning, &reason, nullptr);
  EXPECT_EQ(
      std::string(reason->message),
      bad.path() +
          ":3: [property] config-with=1920: unknown key; correct it or remove the line (known "
          "are enable, config-width, config-height, obj-cnt-win-in-ms, osd-mode, "
          "display-font-size, display-obj-cnt). The rules that were set before stay in force");
  g_error_free(reason);
  gst_message_unref(warning);
  gchar* path = nullptr;
  g_object_get(element, "config-file", &path, nullptr);
  EXPECT_EQ(path, file.path());
  g_free(path);
  EXPECT_EQ(Cross(2).lines.at(0).number(3), 2U);
  gst_element_set_bus(element, nullptr);
  gst_object_unref(bus);
  gst_object_unref(element);
}

TEST_F(SlAnalyticsTest, DoesNotStartWithoutRules) {
  const auto start_error = [](const std::string& path) {
    GstElement* element = gst_element_factory_make("slanalytics", nullptr);
    GstBus* bus = gst_bus_new();
    gst_element_set_bus(element, bus);
    if (!path.empty()) g_object_set(element, "config-file", path.c_str(), nullptr);
    EXPECT_EQ(gst_element_set_state(element, GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    const std::string text = error->message;
    g_error_free(error);
    gst_message_unref(message);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, nullptr);
    gst_object_unref(bus);
    gst_object_unref(element);
    return text;
  };
  EXPECT_EQ(start_error(""),
            "config-file is not set; give the path of a file with zones and lines");
  EXPECT_EQ(start_error("/nowhere.txt"),
            "Cannot read the configuration /nowhere.txt: No such file or directory; give the path "
            "of a file in config-file");
}

TEST_F(SlAnalyticsTest, CanBeSwitchedOff) {
  const ScenarioFile file(kZones);
  Open("slanalytics config-file=" + file.path() + " enable=false");
  EXPECT_EQ(Push({At(1, 500, 440)}).fields.texts.count(114), 0U);
  GstElement* element = Element();
  g_object_set(element, "enable", TRUE, nullptr);
  gst_object_unref(element);
  EXPECT_EQ(Push({At(1, 500, 440)}).zones.at(0).number(2), 1U);
}

TEST_F(SlAnalyticsTest, CountsFollowThePictureThroughAConversion) {
  const ScenarioFile file(kZones);
  Open("slanalytics config-file=" + file.path() + " ! videoconvert ! video/x-raw,format=I420", 64,
       48);
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64 * 48, nullptr);
  AddObject(buffer, {1, 0, {4, 4, 8, 8}}, 64, 48);
  GstBuffer* output = gst_harness_push_and_pull(harness_, buffer);
  std::string bytes(gst_buffer_get_size(output), '\0');
  gst_buffer_extract(output, 0, bytes.data(), bytes.size());
  gst_buffer_unref(output);
  EXPECT_EQ(Message(bytes).zones.at(0).number(2), 1U);
}

}  // namespace
}  // namespace sightline::test
