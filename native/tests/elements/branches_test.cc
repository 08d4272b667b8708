#include <gtest/gtest.h>

#include <map>
#include <utility>
#include <vector>

#include "tests/support/frame_buffers.h"
#include "tests/support/message_fields.h"
#include "tests/support/test_pipeline.h"

// The elements together, as the product's pipelines use them.

namespace sightline::test {
namespace {

std::string BytesOf(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

constexpr char kBranches[] =
    "tee name=t "
    "t. ! queue ! slmeta name=meta stream-id=cam-1 session=s1 ! appsink name=frames sync=false "
    "t. ! queue ! slsample name=filter action=filter ! videoconvert ! jpegenc ! "
    "slimage name=image stream-id=cam-1 session=s1 ! appsink name=images sync=false";

TEST(BranchesTest, AFrameAndItsPictureNameEachOther) {
  TestPipeline pipeline(
      std::string("videotestsrc num-buffers=75 ! "
                  "video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! "
                  "x264enc tune=zerolatency ! rtph264pay ! slstamp stage=receive ! rtph264depay ! "
                  "h264parse ! avdec_h264 max-threads=1 ! slstamp stage=decode ! queue ! sltrack ! "
                  "slsample name=mark action=mark interval-ms=1000 ! ") +
      kBranches);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::map<guint64, MessageFields> chosen;
  guint64 frames = 0;
  while (const Sample sample = pipeline.Pull("frames")) {
    const MessageFields frame(BytesOf(sample.get()));
    EXPECT_EQ(frame.number(102), frames++);
    if (!frame.text(109).empty()) chosen.emplace(frame.number(102), frame);
  }
  EXPECT_EQ(frames, 75U);
  ASSERT_EQ(chosen.size(), 3U);
  for (const auto& [sequence, frame] : chosen) {
    const Sample sample = pipeline.Pull("images");
    ASSERT_TRUE(sample);
    const MessageFields image(BytesOf(sample.get()));
    EXPECT_EQ(sequence % 25, 0U);
    EXPECT_EQ(image.text(1), "cam-1");
    EXPECT_EQ(image.text(2), "s1");
    EXPECT_EQ(image.number(3), sequence);
    EXPECT_EQ(image.number(4), frame.number(103)) << "presentation time";
    EXPECT_EQ(image.text(5), frame.text(3)) << "capture time";
    EXPECT_EQ(image.number(6), frame.number(104)) << "capture clock";
    EXPECT_EQ(image.number(7), 320U);
    EXPECT_EQ(image.number(8), 240U);
    EXPECT_EQ(image.text(9), "image/jpeg");
    EXPECT_EQ(image.text(10), frame.text(109)) << "the picture's key";
    EXPECT_EQ(image.text(11), frame.text(113) + "/image");
    const std::string jpeg = image.text(12);
    ASSERT_GT(jpeg.size(), 100U);
    EXPECT_EQ(jpeg.substr(0, 2), "\xff\xd8");
    EXPECT_EQ(jpeg.substr(jpeg.size() - 2), "\xff\xd9");
  }
  EXPECT_FALSE(pipeline.Pull("images"));
  guint64 images = 0, dropped = 0;
  g_object_get(pipeline.Find("image").get(), "images", &images, nullptr);
  g_object_get(pipeline.Find("filter").get(), "dropped", &dropped, nullptr);
  EXPECT_EQ(images, 3U);
  EXPECT_EQ(dropped, 72U);
}

TEST(BranchesTest, ADecoderMayUseAnyStrideItLikes) {
  TestPipeline pipeline(
      std::string("videotestsrc name=source is-live=true ! video/x-raw,width=320,height=240 ! "
                  "slstamp stage=decode ! sltrack ! slsample ! ") +
      kBranches);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  ASSERT_TRUE(pipeline.Pull("frames"));
  GstPad* pad = gst_element_get_static_pad(pipeline.Find("source").get(), "src");
  GstCaps* caps = gst_pad_get_current_caps(pad);
  GstQuery* query = gst_query_new_allocation(caps, FALSE);
  EXPECT_TRUE(gst_pad_peer_query(pad, query));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr))
      << "without it every decoded picture is copied once";
  gst_query_unref(query);
  gst_caps_unref(caps);
  gst_object_unref(pad);
}

TEST(BranchesTest, StartsAndStopsAgainAndAgain) {
  TestPipeline pipeline(
      std::string("videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 ! "
                  "slstamp stage=receive ! slstamp stage=decode ! sltrack ! slsample ! ") +
      kBranches);
  for (int round = 0; round < 3; ++round) {
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    for (guint64 expected = 0; expected < 5; ++expected) {
      const Sample sample = pipeline.Pull("frames");
      ASSERT_TRUE(sample);
      EXPECT_EQ(MessageFields(BytesOf(sample.get())).number(102), expected) << "round " << round;
    }
    ASSERT_TRUE(pipeline.Pull("images"));
    ASSERT_TRUE(pipeline.SetState(GST_STATE_NULL));
  }
}

struct Described {
  const char* element;
  std::vector<std::pair<const char*, const char*>> properties;  // name, value as text
};

TEST(ElementsTest, DocumentThemselvesAndKeepTheirProperties) {
  const std::vector<Described> elements = {
      {"slstamp", {{"stage", "decode"}}},
      {"sltrack",
       {{"track-high-threshold", "0.25"},
        {"track-low-threshold", "0.125"},
        {"new-track-threshold", "0.5"},
        {"match-threshold", "0.75"},
        {"max-lost-frames", "7"},
        {"min-hits", "4"},
        {"class-aware", "false"},
        {"emit-lost", "true"}}},
      {"slsample", {{"action", "filter"}, {"interval-ms", "250"}, {"when", "objects"}}},
      {"slmeta",
       {{"stream-id", "a"}, {"session", "b"}, {"sensor-id", "c"}, {"backend", "deepstream"}}},
      {"slimage", {{"stream-id", "a"}, {"session", "b"}}}};
  for (const Described& described : elements) {
    const Element element(gst_element_factory_make(described.element, nullptr));
    ASSERT_TRUE(element) << described.element;
    gst_object_ref_sink(element.get());
    const char* description = gst_element_get_metadata(element.get(), "description");
    EXPECT_NE(std::string(description).find("Example: "), std::string::npos) << description;
    for (const auto& [name, text] : described.properties) {
      gst_util_set_object_arg(G_OBJECT(element.get()), name, text);
      GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element.get()), name);
      ASSERT_NE(spec, nullptr) << name;
      EXPECT_GT(std::string(g_param_spec_get_blurb(spec)).size(), 10U) << name;
      GValue value = G_VALUE_INIT;
      g_value_init(&value, spec->value_type);
      g_object_get_property(G_OBJECT(element.get()), name, &value);
      gchar* seen = gst_value_serialize(&value);
      EXPECT_STREQ(seen, text) << described.element << " " << name;
      g_free(seen);
      g_value_unset(&value);
    }
  }
}

}  // namespace
}  // namespace sightline::test
