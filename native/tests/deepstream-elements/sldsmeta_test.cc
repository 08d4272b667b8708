#include <gtest/gtest.h>

#include <cmath>

#include "tests/stand-in/nvds_meta.h"
#include "tests/support/ds_pipeline.h"

namespace sightline::test {
namespace {

constexpr int kObjects = 30;
constexpr guint64 kNtp = 1'700'000'000'123'456'789;

std::vector<float> PackedFloats(const std::string& bytes) {
  std::vector<float> floats(bytes.size() / sizeof(float));
  std::memcpy(floats.data(), bytes.data(), floats.size() * sizeof(float));
  return floats;
}

void ExpectBbox(const std::string& bytes, float left, float top, float right, float bottom) {
  const MessageFields box(bytes);
  const auto corner = [&box](int tag) {
    return box.floats.count(tag) != 0 ? box.floats.at(tag) : 0.0F;
  };
  EXPECT_NEAR(corner(1), left, 1e-3);
  EXPECT_NEAR(corner(2), top, 1e-3);
  EXPECT_NEAR(corner(3), right, 1e-3);
  EXPECT_NEAR(corner(4), bottom, 1e-3);
  EXPECT_TRUE(box.numbers.empty() && box.texts.empty());
}

// Two cameras in a batch of 1280x720, 30 objects each: one camera of twice that size whose frames
// were stretched, one of 4:3. Everything an object can have is on some of them.
struct Scene {
  static std::string Label(int i) { return i % 3 == 0 ? "person" : "car"; }
  static float Left(int i) { return 10 + 8 * static_cast<float>(i); }

  std::unique_ptr<DsBatch> Make(gint frame_num, guint64 pts) {
    auto batch = std::make_unique<DsBatch>();
    for (guint pad : {0U, 1U}) {
      auto* frame = batch->AddFrame(pad, frame_num, pts + pad);
      frame->source_id = 40 + pad;  // not what counts
      frame->ntp_timestamp = kNtp + pad;
      frame->pipeline_width = 1280;
      frame->pipeline_height = 720;
      frame->source_frame_width = pad == 0 ? 2560 : 640;
      frame->source_frame_height = pad == 0 ? 1440 : 480;
      frame->bInferDone = pad == 0;
      AddAnalytics(batch.get(), frame);
      for (int i = 0; i < kObjects; ++i) AddObject(batch.get(), frame, i);
    }
    return batch;
  }

  void AddAnalytics(DsBatch* batch, nvds::NvDsFrameMeta* frame) {
    if (frame->pad_index != 0) return;
    nvds::NvDsAnalyticsFrameMeta counts;
    counts.objInROIcnt = {{"yard", 12}};
    counts.ocStatus = {{"yard", true}};
    counts.objLCCurrCnt = {{"gate", 1}};
    counts.objLCCumCnt = {{"gate", 31}};
    counts.unique_id = 0;
    batch->AddExtra(frame, nvds::NVDS_FRAME_META_NVDSANALYTICS, counts);
  }

  void AddObject(DsBatch* batch, nvds::NvDsFrameMeta* frame, int i) {
    auto* object = batch->AddObject(frame, i % 3 == 0 ? 0 : 2, Label(i).c_str(), Left(i), 20, 6, 40,
                                    0.5F + 0.01F * static_cast<float>(i));
    if (frame->pad_index == 1) return;  // plain detections
    if (i % 5 != 4) DsBatch::Track(object, 1000 + static_cast<guint64>(i), 0.25F);
    if (i % 7 == 3) DsBatch::Invent(object);
    if (i % 3 == 1) batch->AddLabels(object, 2, "colour", {{"red", 0.75F, 3}});
    if (i % 10 == 2) {
      nvds::NvDsAnalyticsObjInfo info;
      info.roiStatus = {"yard"};
      info.lcStatus = {"gate"};
      info.dirStatus = " DIR:out ";
      info.objStatus = " DIR:out  STOPPED ";
      info.unique_id = 0;
      batch->AddExtra(object, nvds::NVDS_OBJ_META_NVDSANALYTICS, info);
    }
    if (i == 6) {
      object->mask_params = {mask, sizeof(mask), 0.5F, 2, 2};
      object->rect_params.rotation_angle = 15;
    }
    if (i == 8) {
      nvds::NvDsObjReid reid{};
      reid.featureSize = 3;
      reid.ptr_host = vector;
      batch->AddExtra(object, nvds::NVDS_TRACKER_OBJ_REID_META, reid);
    }
  }

  float mask[4] = {0.25F, 0.5F, 0.75F, 1};
  float vector[3] = {1, 2, 3};
};

// Takes away the fields that were checked; what is left was not expected.
struct Checked {
  explicit Checked(const std::string& bytes) : fields(bytes) {}
  std::string text(int tag) {
    const std::string value = fields.text(tag);
    fields.texts.erase(tag);
    return value;
  }
  std::uint64_t number(int tag) {
    const std::uint64_t value = fields.number(tag);
    fields.numbers.erase(tag);
    return value;
  }
  float real(int tag) {
    const float value = fields.floats.count(tag) != 0 ? fields.floats.at(tag) : 0.0F;
    fields.floats.erase(tag);
    return value;
  }
  bool nothing_left() const {
    return fields.texts.empty() && fields.numbers.empty() && fields.floats.empty();
  }
  MessageFields fields;
};

void ExpectTrackedObject(const std::string& bytes, int i, const Scene& scene) {
  SCOPED_TRACE("object " + std::to_string(i));
  Checked object(bytes);
  const bool tracked = i % 5 != 4;
  const bool invented = i % 7 == 3;
  EXPECT_EQ(object.text(1), tracked ? std::to_string(1000 + i) : "");
  ExpectBbox(object.text(2), 2 * Scene::Left(i), 40, 2 * Scene::Left(i) + 12, 120);
  EXPECT_EQ(object.text(3), Scene::Label(i));
  EXPECT_FLOAT_EQ(object.real(4), invented ? 0 : 0.5F + 0.01F * static_cast<float>(i));
  EXPECT_EQ(object.number(100), i % 3 == 0 ? 0U : 2U);
  EXPECT_EQ(object.number(101), tracked && invented ? 1U : 0U);
  EXPECT_EQ(object.number(104), tracked ? 1U : 0U);
  EXPECT_EQ(object.real(105), tracked ? 0.25F : 0);
  EXPECT_EQ(object.number(109), 1U);
  const std::string classification = object.text(102);
  EXPECT_EQ(classification.empty(), i % 3 != 1);
  if (i % 3 == 1) {
    Checked label(classification);
    EXPECT_EQ(label.number(1), 2U);
    EXPECT_EQ(label.text(2), "colour");
    EXPECT_EQ(label.text(3), "red");
    EXPECT_EQ(label.real(4), 0.75F);
    EXPECT_EQ(label.number(5), 3U);
    EXPECT_TRUE(label.nothing_left());
  }
  const std::string analytics = object.text(103);
  EXPECT_EQ(analytics.empty(), i % 10 != 2);
  if (i % 10 == 2) {
    Checked found(analytics);
    EXPECT_EQ(found.text(1), "yard");
    EXPECT_EQ(found.text(3), "gate");
    EXPECT_EQ(found.text(4), "out");
    EXPECT_EQ(found.number(5), 1U);
    EXPECT_TRUE(found.nothing_left());
  }
  EXPECT_EQ(object.real(107), i == 6 ? 15 : 0);
  const std::string mask = object.text(110);
  EXPECT_EQ(mask.empty(), i != 6);
  if (i == 6) {
    Checked found(mask);
    EXPECT_EQ(found.number(1), 2U);
    EXPECT_EQ(found.number(2), 2U);
    EXPECT_EQ(found.real(3), 0.5F);
    EXPECT_EQ(PackedFloats(found.text(4)), (std::vector<float>(scene.mask, scene.mask + 4)));
    EXPECT_TRUE(found.nothing_left());
  }
  const std::string embedding = object.text(6);
  EXPECT_EQ(embedding.empty(), i != 8);
  if (i == 8) {
    EXPECT_EQ(PackedFloats(MessageFields(embedding).text(1)), (std::vector<float>{1, 2, 3}));
  }
  EXPECT_TRUE(object.nothing_left());
}

TEST(SlDsMetaTest, WritesEveryFieldOfEveryFrame) {
  Scene scene;
  DsPipeline pipeline(
      "sldsmeta name=meta session=s9 streams=0=cam-1/gate%2F1;1=cam-2 "
      "models=2=colour/3;1=people/2.6 "
      "tracker=nvdcf capture-clock=rtcp ! appsink name=out sync=false");
  pipeline.Push(scene.Make(5, 40 * GST_MSECOND));

  const Sample sample = pipeline.Pull();
  ASSERT_TRUE(sample);
  gchar* caps = gst_caps_to_string(gst_sample_get_caps(sample.get()));
  EXPECT_STREQ(caps, "application/x-protobuf, message=(string)sightline.v1.Frame");
  g_free(caps);
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  EXPECT_EQ(GST_BUFFER_PTS(buffer), 40 * GST_MSECOND);
  Checked first(BytesOf(buffer));
  EXPECT_EQ(first.text(1), "4.0");
  EXPECT_EQ(first.text(2), "5");
  Checked timestamp(first.text(3));
  EXPECT_EQ(timestamp.number(1), 1'700'000'000U);
  EXPECT_EQ(timestamp.number(2), 123'456'789U);
  EXPECT_EQ(first.text(4), "gate/1");
  EXPECT_EQ(first.text(100), "cam-1");
  EXPECT_EQ(first.text(101), "s9");
  EXPECT_EQ(first.number(102), 5U);
  EXPECT_EQ(first.number(103), 40 * GST_MSECOND);
  EXPECT_EQ(first.number(104), 2U);
  EXPECT_EQ(first.number(105), 2560U);
  EXPECT_EQ(first.number(106), 1440U);
  Checked model(first.text(107));
  EXPECT_EQ(model.text(1), "people");
  EXPECT_EQ(model.text(2), "2.6");
  EXPECT_EQ(model.text(3), "deepstream");
  EXPECT_EQ(model.text(4), "TensorRT");
  EXPECT_TRUE(model.nothing_left());
  EXPECT_EQ(first.text(108), "nvdcf");
  EXPECT_EQ(first.text(110), "") << "no stage was timed";
  EXPECT_EQ(first.number(111), 1U);
  EXPECT_EQ(first.number(112), 5U);
  EXPECT_EQ(first.text(113), "cam-1/s9/5");
  Checked analytics(first.text(114));
  Checked zone(analytics.text(1));
  EXPECT_EQ(zone.text(1), "yard");
  EXPECT_EQ(zone.number(2), 12U);
  EXPECT_EQ(zone.number(3), 1U);
  Checked line(analytics.text(2));
  EXPECT_EQ(line.text(1), "gate");
  EXPECT_EQ(line.number(2), 1U);
  EXPECT_EQ(line.number(3), 31U);
  EXPECT_TRUE(analytics.nothing_left() && zone.nothing_left() && line.nothing_left());
  ASSERT_EQ(first.fields.texts.at(5).size(), static_cast<std::size_t>(kObjects));
  for (int i = 0; i < kObjects; ++i) {
    ExpectTrackedObject(first.fields.texts.at(5)[static_cast<std::size_t>(i)], i, scene);
  }
  first.text(5);
  EXPECT_TRUE(first.nothing_left());

  const MessageFields second = pipeline.Message();
  EXPECT_EQ(second.text(4), "cam-2") << "the sensor is the stream unless it is named";
  EXPECT_EQ(second.text(100), "cam-2");
  EXPECT_EQ(second.number(103), 40 * GST_MSECOND + 1);
  EXPECT_EQ(second.number(105), 640U);
  EXPECT_EQ(second.number(111), 0U);
  EXPECT_EQ(second.text(114), "");
  ASSERT_EQ(second.texts.at(5).size(), static_cast<std::size_t>(kObjects));
  for (int i = 0; i < kObjects; ++i) {
    Checked object(second.texts.at(5)[static_cast<std::size_t>(i)]);
    EXPECT_EQ(object.text(1), "");
    ExpectBbox(object.text(2), Scene::Left(i) / 2, 20 * 480 / 720.0F, Scene::Left(i) / 2 + 3, 40);
    EXPECT_EQ(object.text(3), Scene::Label(i));
    EXPECT_FLOAT_EQ(object.real(4), 0.5F + 0.01F * static_cast<float>(i));
    EXPECT_EQ(object.number(100), i % 3 == 0 ? 0U : 2U);
    EXPECT_EQ(object.number(109), 1U);
    EXPECT_TRUE(object.nothing_left());
  }
  pipeline.End();
  EXPECT_TRUE(pipeline.AtEnd());
  EXPECT_EQ(pipeline.Number("meta", "frames"), 2U);
  EXPECT_EQ(pipeline.Number("meta", "frames-inferred"), 1U);
  EXPECT_EQ(pipeline.Number("meta", "frames-skipped"), 10U);
  EXPECT_EQ(pipeline.Text("meta", "stream-stats"),
            R"({"cam-1":{"frames":1,"skipped":5,"inferred":1},)"
            R"("cam-2":{"frames":1,"skipped":5,"inferred":0}})");
  EXPECT_TRUE(pipeline.Warnings().empty());
}

TEST(SlDsMetaTest, UndoesPaddingWhereItIsTold) {
  DsPipeline pipeline("sldsmeta padding=true ! appsink name=out sync=false");
  auto batch = std::make_unique<DsBatch>();
  auto* frame = batch->AddFrame(0, 0);
  frame->pipeline_width = 1920;
  frame->pipeline_height = 1080;
  frame->source_frame_width = 640;
  frame->source_frame_height = 480;
  auto* object = batch->AddObject(frame, 0, "person", 240, 0, 720, 540);
  object->detector_bbox_info.org_bbox_coords = {200, 0, 760, 540};
  pipeline.Push(std::move(batch));
  const MessageFields message = pipeline.Message();
  const MessageFields person(message.text(5));
  ExpectBbox(person.text(2), 0, 0, 320, 240);
  ExpectBbox(person.text(106), 0, 0, 320, 240);
}

TEST(SlDsMetaTest, LeavesFramesOfTheNewMuxerAsTheyAre) {
  DsPipeline pipeline("sldsmeta padding=true ! appsink name=out sync=false");
  auto batch = std::make_unique<DsBatch>();
  batch->AddObject(batch->AddFrame(0, 0), 0, "person", 100, 50, 20, 10);
  pipeline.Push(std::move(batch));
  const MessageFields message = pipeline.Message();
  ExpectBbox(MessageFields(message.text(5)).text(2), 100, 50, 120, 60);
  EXPECT_EQ(message.text(100), "pad-0") << "streams have names all the same";
  EXPECT_FALSE(message.text(101).empty());
}

TEST(SlDsMetaTest, GoesOnNumberingWhenASourceIsReset) {
  DsPipeline pipeline("sldsmeta name=meta session=s streams=0=a ! appsink name=out sync=false");
  std::vector<std::string> ids;
  for (const gint frame_num : {0, 1, 4, 0, 1, 3}) {
    auto batch = std::make_unique<DsBatch>();
    batch->AddFrame(0, frame_num);
    pipeline.Push(std::move(batch));
    const MessageFields message = pipeline.Message();
    EXPECT_EQ(message.text(2), std::to_string(message.number(102)));
    ids.push_back(message.text(113) + " -" + std::to_string(message.number(112)));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"a/s/0 -0", "a/s/1 -0", "a/s/4 -2", "a/s/5 -0",
                                           "a/s/6 -0", "a/s/8 -1"}));
  EXPECT_EQ(pipeline.Number("meta", "frames-skipped"), 3U);
}

TEST(SlDsMetaTest, TellsTrackRecordsBesideTheObjects) {
  DsPipeline pipeline(
      "sldsmeta name=meta streams=0=a tracker-width=960 tracker-height=540 ! appsink name=out "
      "sync=false");
  auto batch = std::make_unique<DsBatch>();
  batch->AddFrame(0, 3);
  nvds::NvDsTargetMiscDataFrame at{};
  at.frameNum = 2;
  at.tBbox.left = at.tBbox.top = at.tBbox.width = at.tBbox.height = 10;
  at.confidence = 0.5F;
  at.age = 7;
  at.trackerState = nvds::INACTIVE;
  at.visibility = 1;
  nvds::NvDsTargetMiscDataObject track{};
  track.uniqueId = 99;
  track.classId = 2;
  batch->AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 0, {track}, {at});
  batch->AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 5, {track, track}, {at});
  pipeline.Push(std::move(batch));
  const MessageFields message = pipeline.Message();
  ASSERT_EQ(message.texts.at(115).size(), 1U);
  Checked record(message.text(115));
  EXPECT_EQ(record.number(1), 2U);
  EXPECT_EQ(record.text(2), "99");
  EXPECT_EQ(record.number(3), 2U);
  Checked point(record.text(5));
  EXPECT_EQ(point.number(1), 2U);
  ExpectBbox(point.text(2), 20, 20, 40, 40);
  EXPECT_EQ(point.real(3), 0.5F);
  EXPECT_EQ(point.number(4), 7U);
  EXPECT_EQ(point.number(5), 2U);
  EXPECT_EQ(point.real(6), 1);
  EXPECT_TRUE(record.nothing_left() && point.nothing_left());
  EXPECT_EQ(pipeline.Number("meta", "parts-dropped"), 2U) << "pad 5 has no frame";
}

TEST(SlDsMetaTest, KnowsWhoseTimeItIs) {
  const auto clock_of = [](const std::string& properties, bool live, guint64 ntp) {
    DsPipeline pipeline("sldsmeta " + properties + " ! appsink name=out sync=false",
                        DsPipeline::kCaps, live);
    auto batch = std::make_unique<DsBatch>();
    batch->AddFrame(0, 0)->ntp_timestamp = ntp;
    pipeline.Push(std::move(batch));
    const MessageFields message = pipeline.Message();
    const MessageFields timestamp(message.text(3));
    if (ntp == 0 || !live) {
      EXPECT_NEAR(static_cast<double>(timestamp.number(1)), g_get_real_time() / 1e6, 5);
    }
    return message.number(104);
  };
  EXPECT_EQ(clock_of("capture-clock=rtcp", true, kNtp), 2U);
  EXPECT_EQ(clock_of("capture-clock=arrival", true, kNtp), 1U);
  EXPECT_EQ(clock_of("capture-clock=rtcp", true, 0), 1U) << "no sender report yet";
  EXPECT_EQ(clock_of("capture-clock=arrival", false, kNtp), 3U) << "a recording";
}

TEST(SlDsMetaTest, BatchesWithoutFramesGiveNothing) {
  DsPipeline pipeline("sldsmeta name=meta ! appsink name=out sync=false");
  pipeline.Push(std::make_unique<DsBatch>());
  auto batch = std::make_unique<DsBatch>();
  batch->get()->num_frames_in_batch = 9;  // is not believed
  pipeline.Push(std::move(batch));
  auto last = std::make_unique<DsBatch>();
  last->AddFrame(0, 0);
  pipeline.Push(std::move(last));
  EXPECT_EQ(pipeline.Message().text(2), "0");
  pipeline.End();
  EXPECT_TRUE(pipeline.AtEnd());
  EXPECT_EQ(pipeline.Number("meta", "frames"), 1U);
  EXPECT_TRUE(pipeline.Warnings().empty());
}

TEST(SlDsMetaTest, BuffersWithoutABatchAreCountedAndSaidOnce) {
  DsPipeline pipeline("sldsmeta name=meta ! appsink name=out sync=false");
  for (int i = 0; i < 3; ++i) pipeline.Push(gst_buffer_new_allocate(nullptr, 16, nullptr));
  pipeline.End();
  EXPECT_TRUE(pipeline.AtEnd());
  EXPECT_EQ(pipeline.Number("meta", "buffers-without-batch"), 3U);
  const auto warnings = pipeline.Warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("NvDsBatchMeta"), std::string::npos);
}

TEST(SlDsMetaTest, FramesOfUnknownPadsAreCountedAndSaidOnce) {
  DsPipeline pipeline("sldsmeta name=meta streams=0=a ! appsink name=out sync=false");
  for (int i = 0; i < 3; ++i) {
    auto batch = std::make_unique<DsBatch>();
    batch->AddFrame(7, i);
    batch->AddFrame(0, i);
    pipeline.Push(std::move(batch));
    EXPECT_EQ(pipeline.Message().text(100), "a");
  }
  EXPECT_EQ(pipeline.Number("meta", "frames-dropped"), 3U);
  const auto warnings = pipeline.Warnings();
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("pad 7"), std::string::npos) << warnings[0];
}

TEST(SlDsMetaTest, StreamsComeAndGoWhilePlaying) {
  DsPipeline pipeline("sldsmeta name=meta session=s streams=0=a ! appsink name=out sync=false");
  const auto push = [&pipeline](gint frame_num) {
    auto batch = std::make_unique<DsBatch>();
    batch->AddFrame(0, frame_num);
    batch->AddFrame(1, frame_num);
    pipeline.Push(std::move(batch));
  };
  const Element meta = pipeline.Find("meta");
  push(0);
  EXPECT_EQ(pipeline.Message().text(113), "a/s/0");
  g_object_set(meta.get(), "streams", "0=a;1=b%22", nullptr);
  push(1);
  EXPECT_EQ(pipeline.Message().text(113), "a/s/1") << "a stream that stays keeps its numbers";
  EXPECT_EQ(pipeline.Message().text(113), "b\"/s/1");
  g_object_set(meta.get(), "streams", "0=a;1=b%2", nullptr);
  push(2);
  EXPECT_EQ(pipeline.Message().text(113), "a/s/2");
  EXPECT_EQ(pipeline.Message().text(113), "b\"/s/2");
  bool said = false;
  for (const std::string& text : pipeline.Warnings()) {
    said = said || text.find("1=b%2\" has a % without") != std::string::npos;
  }
  EXPECT_TRUE(said);
  EXPECT_EQ(
      pipeline.Text("meta", "stream-stats"),
      R"({"a":{"frames":3,"skipped":0,"inferred":3},"b\"":{"frames":2,"skipped":1,"inferred":2}})");
}

TEST(SlDsMetaTest, WrongSettingsFailTheStartInWords) {
  for (const auto& [properties, words] : std::map<std::string, std::string>{
           {"streams=cam-1", "streams: entry \"cam-1\" must be number=name"},
           {"streams=0=a;0=b", "streams: entry \"0=b\" uses a number that another entry has"},
           {"streams=0=", "streams: entry \"0=\" has no name"},
           {"models=1=a%zz", "models: entry \"1=a%zz\" has a % without two hexadecimal digits"},
           {"capture-clock=ntp", "capture-clock is \"ntp\"; it must be \"rtcp\" or \"arrival\""}}) {
    TestPipeline pipeline("fakesrc num-buffers=1 ! video/x-raw ! sldsmeta " + properties +
                          " ! fakesink");
    EXPECT_EQ(pipeline.RunToEnd(), words);
  }
}

TEST(SlDsMetaTest, StartsANewSessionEachTime) {
  DsPipeline pipeline("sldsmeta name=meta streams=0=a session=one ! appsink name=out sync=false");
  const auto push = [&pipeline] {
    auto batch = std::make_unique<DsBatch>();
    batch->AddFrame(0, 3);
    pipeline.Push(std::move(batch));
    return pipeline.Message().text(113);
  };
  EXPECT_EQ(push(), "a/one/3");
  ASSERT_TRUE(pipeline.SetState(GST_STATE_READY));
  g_object_set(pipeline.Find("meta").get(), "session", "two", nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  EXPECT_EQ(push(), "a/two/3");
  EXPECT_EQ(pipeline.Number("meta", "frames"), 1U);
}

// Counts on the pad behind the element, where no lock may be held.
GstPadProbeReturn NoLockHeld(GstPad*, GstPadProbeInfo*, gpointer worst) {
  auto* most = static_cast<int*>(worst);
  *most = std::max(*most, stand_in_lock_depth());
  return GST_PAD_PROBE_OK;
}

TEST(SlDsMetaTest, HoldsTheBatchsLockWhileItReadsAndNoLonger) {
  int held_downstream = 0;
  DsPipeline pipeline("sldsmeta name=meta ! appsink name=out sync=false");
  GstPad* pad = gst_element_get_static_pad(pipeline.Find("meta").get(), "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, NoLockHeld, &held_downstream, nullptr);
  gst_object_unref(pad);
  const unsigned before = stand_in_lock_count();
  auto batch = std::make_unique<DsBatch>();
  for (gint i = 0; i < 4; ++i) batch->AddFrame(0, i);
  pipeline.Push(std::move(batch));
  for (int i = 0; i < 4; ++i) pipeline.Message();
  EXPECT_EQ(stand_in_lock_count(), before + 1);
  EXPECT_EQ(stand_in_lock_depth(), 0);
  EXPECT_EQ(held_downstream, 0);
}

void CountDeath(gpointer count, GstMiniObject*) { ++*static_cast<std::atomic<int>*>(count); }

TEST(SlDsMetaTest, LetsTheBatchGoBeforeItHandsOutMessages) {
  std::atomic<int> released{0};
  DsPipeline pipeline("sldsmeta ! appsink name=out sync=false max-buffers=1");
  auto batch = std::make_unique<DsBatch>();
  for (gint i = 0; i < 8; ++i) batch->AddFrame(0, i);
  GstBuffer* buffer = ToBuffer(std::move(batch));
  gst_mini_object_weak_ref(GST_MINI_OBJECT(buffer), CountDeath, &released);
  pipeline.Push(buffer);
  pipeline.Message();
  EXPECT_EQ(released, 1) << "the muxer has only a few buffers";
  for (int i = 1; i < 8; ++i) EXPECT_EQ(pipeline.Message().text(2), std::to_string(i));
}

TEST(SlDsMetaTest, LinksBehindATeeAndAQueue) {
  DsPipeline pipeline(
      "tee name=t t. ! queue ! sldsmeta ! appsink name=out sync=false t. ! queue ! fakesink "
      "async=false");
  auto batch = std::make_unique<DsBatch>();
  batch->AddFrame(0, 0);
  pipeline.Push(std::move(batch));
  EXPECT_EQ(pipeline.Message().text(2), "0");
  pipeline.End();
  EXPECT_TRUE(pipeline.AtEnd());
}

}  // namespace
}  // namespace sightline::test
