#include "deepstream/reader/frame_reader.h"

#include <gtest/gtest.h>

#include "tests/support/ds_batch.h"

namespace sightline::test {
namespace {

class FrameReaderTest : public testing::Test {
 protected:
  const FrameMessage& Read(nvds::NvDsFrameMeta* frame, std::uint64_t sequence = 0) {
    message_.identity.sequence = sequence;
    reader_.Read(*batch_.get(), *frame, &tracks_, &message_);
    return message_;
  }
  const FrameObject& ReadOne(nvds::NvDsFrameMeta* frame, std::uint64_t sequence = 0) {
    Read(frame, sequence);
    EXPECT_EQ(message_.objects.size(), 1U);
    if (message_.objects.empty()) message_.objects.emplace_back();
    return message_.objects.front();
  }

  DsBatch batch_;
  FrameReader reader_;
  TrackMemory tracks_;
  FrameMessage message_;
};

void ExpectBox(const Detection& box, float left, float top, float width, float height) {
  EXPECT_FLOAT_EQ(box.left, left);
  EXPECT_FLOAT_EQ(box.top, top);
  EXPECT_FLOAT_EQ(box.width, width);
  EXPECT_FLOAT_EQ(box.height, height);
}

TEST_F(FrameReaderTest, PutsObjectsBackIntoTheirOrder) {
  auto* frame = batch_.AddFrame(0, 0);
  for (const char* label : {"first", "second", "third"}) {
    batch_.AddObject(frame, 1, label, 10, 10, 20, 20);
  }
  const auto& objects = Read(frame).objects;
  ASSERT_EQ(objects.size(), 3U);
  EXPECT_EQ(objects[0].label, "first");
  EXPECT_EQ(objects[2].label, "third");
}

TEST_F(FrameReaderTest, ReadsWhatADetectorFound) {
  auto* frame = batch_.AddFrame(0, 0);
  batch_.AddObject(frame, 2, "car", 100, 50, 30, 20, 0.75F)->unique_component_id = 3;
  const FrameObject& car = ReadOne(frame);
  ExpectBox(car.detection, 100, 50, 30, 20);
  EXPECT_EQ(car.detection.confidence, 0.75F);
  EXPECT_EQ(car.detection.class_id, 2);
  EXPECT_EQ(car.component, 3U);
  EXPECT_FALSE(car.has_detector_box) << "it is the box itself";
  EXPECT_EQ(message_.identity.width, 1920U);
  EXPECT_EQ(message_.identity.height, 1080U);
  EXPECT_TRUE(message_.inferred);
  frame->bInferDone = FALSE;
  EXPECT_FALSE(Read(frame).inferred);
}

TEST_F(FrameReaderTest, LetsNoSentinelThrough) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* object = batch_.AddObject(frame, 0, "person", 1, 2, 3, 4, -0.1F);
  object->tracker_confidence = -0.1F;
  const FrameObject& person = ReadOne(frame);
  EXPECT_FALSE(person.tracked);
  EXPECT_EQ(person.track_id, 0U);
  EXPECT_EQ(person.track_state, TrackState::kUnspecified);
  EXPECT_EQ(person.detection.confidence, 0);
  EXPECT_EQ(person.tracker_confidence, 0);
  EXPECT_FALSE(person.has_foot_image);
  EXPECT_FALSE(person.has_foot_world);
  EXPECT_EQ(person.mask.scores, nullptr);
  EXPECT_EQ(person.embedding_size, 0U);
  object->confidence = object->tracker_confidence = std::numeric_limits<float>::quiet_NaN();
  object->unique_component_id = -1;
  object->rect_params.rotation_angle = std::numeric_limits<float>::infinity();
  const FrameObject& odd = ReadOne(frame);
  EXPECT_EQ(odd.detection.confidence, 0);
  EXPECT_EQ(odd.component, 0U);
  EXPECT_EQ(odd.rotation_deg, 0);
}

TEST_F(FrameReaderTest, ReadsWhatATrackerMoved) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* object = batch_.AddObject(frame, 0, "person", 110, 60, 30, 20, 0.5F);
  object->detector_bbox_info.org_bbox_coords = {100, 50, 32, 22};
  DsBatch::Track(object, 1ULL << 40, 0.9F);
  const FrameObject& person = ReadOne(frame);
  EXPECT_TRUE(person.tracked);
  EXPECT_EQ(person.track_id, 1ULL << 40);
  EXPECT_EQ(person.track_state, TrackState::kActive);
  EXPECT_EQ(person.tracker_confidence, 0.9F);
  EXPECT_EQ(person.frames_since_detection, 0U);
  ASSERT_TRUE(person.has_detector_box);
  EXPECT_EQ(person.detector_box.left, 100);
  EXPECT_EQ(person.detector_box.width, 32);
}

TEST_F(FrameReaderTest, CountsFramesSinceTheDetectorSawATrack) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* object = batch_.AddObject(frame, 0, "person", 110, 60, 30, 20);
  DsBatch::Track(object, 7);
  EXPECT_EQ(ReadOne(frame, 10).frames_since_detection, 0U);
  DsBatch::Invent(object);
  EXPECT_EQ(ReadOne(frame, 11).frames_since_detection, 1U);
  EXPECT_FALSE(message_.objects[0].has_detector_box);
  EXPECT_EQ(message_.objects[0].detection.confidence, 0);
  EXPECT_EQ(ReadOne(frame, 14).frames_since_detection, 4U);
  object->detector_bbox_info.org_bbox_coords = {110, 60, 30, 20};
  EXPECT_EQ(ReadOne(frame, 15).frames_since_detection, 0U);
  DsBatch::Track(object, 8);
  DsBatch::Invent(object);
  EXPECT_EQ(ReadOne(frame, 16).frames_since_detection, 1U) << "never seen, but not by us";
  // A track that was gone for long is another one.
  DsBatch::Track(object, 7);
  EXPECT_EQ(ReadOne(frame, 16'000).frames_since_detection, 15'985U);
  DsBatch::Track(object, 8);
  EXPECT_EQ(ReadOne(frame, 32'000).frames_since_detection, 1U);
}

TEST_F(FrameReaderTest, KeepsTheLabelsOfAFullFrameClassifier) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* carrier = batch_.AddObject(frame, -1, "", 0, 0, 640, 360);
  carrier->unique_component_id = 4;
  auto* silent = batch_.AddObject(frame, -1, "", 0, 0, 640, 360);
  (void)silent;
  batch_.AddLabels(carrier, 4, "weather", {{"rain", 0.8F, 2}});
  EXPECT_FALSE(FrameReader::HasObjects(*frame));
  const FrameObject& object = ReadOne(frame);
  EXPECT_EQ(object.label, kFrameObjectLabel);
  EXPECT_EQ(object.detection.class_id, -1);
  ExpectBox(object.detection, 0, 0, 1920, 1080);
  EXPECT_EQ(object.component, 4U);
  ASSERT_EQ(object.classifications.size(), 1U);
  EXPECT_EQ(object.classifications[0].label, "rain");
  batch_.AddObject(frame, 0, "car", 0, 0, 1, 1);
  EXPECT_TRUE(FrameReader::HasObjects(*frame));
}

TEST_F(FrameReaderTest, ReadsLabelsOfSecondaryClassifiers) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* car = batch_.AddObject(frame, 2, "car", 0, 0, 10, 10);
  const std::string lengthy(300, 'x');
  batch_.AddLabels(car, 2, "colour", {{"red", 0.9F, 5}});
  batch_.AddLabels(car, 3, nullptr,
                   {{"cut", 0.25F, 1, lengthy.c_str()}, {nullptr, -0.1F, 0}, {"suv", 0.5F, 7}});
  const auto& found = ReadOne(frame).classifications;
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].component, 2U);
  EXPECT_EQ(found[0].attribute, "colour");
  EXPECT_EQ(found[0].label, "red");
  EXPECT_EQ(found[0].confidence, 0.9F);
  EXPECT_EQ(found[0].value, 5U);
  EXPECT_EQ(found[1].attribute, "") << "the type may be null";
  EXPECT_EQ(found[1].label, lengthy) << "the long label is the whole one";
  EXPECT_EQ(found[2].label, "");
  EXPECT_EQ(found[2].confidence, 0);
  EXPECT_EQ(found[3].label, "suv");
  EXPECT_EQ(found[3].value, 7U);
}

TEST_F(FrameReaderTest, LinksObjectsToTheOneTheyLieIn) {
  auto* frame = batch_.AddFrame(0, 0);
  auto* outside = batch_.AddObject(frame, 0, "ghost", -50, -50, 20, 20);
  auto* car = batch_.AddObject(frame, 2, "car", 0, 0, 100, 100);
  auto* plate = batch_.AddObject(frame, 0, "plate", 10, 10, 20, 5, 0.5F, car);
  plate->unique_component_id = 2;
  batch_.AddObject(frame, 0, "letter", 11, 11, 2, 2, 0.5F, plate);
  batch_.AddObject(frame, 0, "orphan", 11, 11, 2, 2, 0.5F, outside);
  const auto& objects = Read(frame).objects;
  ASSERT_EQ(objects.size(), 4U) << "what is outside of the frame is not on it";
  EXPECT_EQ(objects[0].parent, 0U);
  EXPECT_EQ(objects[1].parent, 1U);
  EXPECT_EQ(objects[2].parent, 2U);
  EXPECT_EQ(objects[3].parent, 0U);
}

TEST_F(FrameReaderTest, ReadsTextsThatAreNotEndedOrNotWhole) {
  auto* frame = batch_.AddFrame(0, 0);
  const std::string full(200, 'y');
  batch_.AddObject(frame, 0, full.c_str(), 0, 0, 10, 10);
  EXPECT_EQ(ReadOne(frame).label, full.substr(0, 128));

  auto* other = batch_.AddFrame(0, 1);
  const std::string umlauts = std::string(127, 'z') + "\xc3\xbc";  // ends in half a letter
  batch_.AddObject(other, 0, umlauts.c_str(), 0, 0, 10, 10);
  EXPECT_EQ(ReadOne(other).label, std::string(127, 'z'));
}

TEST_F(FrameReaderTest, ReadsMasksThatAreAsLargeAsTheySay) {
  auto* frame = batch_.AddFrame(0, 0);
  float scores[6] = {0, 0.25F, 0.5F, 0.75F, 1, 0};
  auto* object = batch_.AddObject(frame, 0, "person", 0, 0, 30, 20);
  object->mask_params.data = scores;
  object->mask_params.size = sizeof(scores);
  object->mask_params.width = 3;
  object->mask_params.height = 2;
  object->mask_params.threshold = 0.4F;
  const Mask& mask = ReadOne(frame).mask;
  EXPECT_EQ(mask.width, 3U);
  EXPECT_EQ(mask.height, 2U);
  EXPECT_EQ(mask.threshold, 0.4F);
  EXPECT_EQ(mask.scores, scores);
  EXPECT_EQ(reader_.damaged(), 0U);
  object->mask_params.height = 3;
  EXPECT_EQ(ReadOne(frame).mask.scores, nullptr);
  EXPECT_EQ(reader_.damaged(), 1U);
  object->mask_params.width = object->mask_params.height = 65'536;  // overflows 32 bits
  EXPECT_EQ(ReadOne(frame).mask.scores, nullptr);
  EXPECT_EQ(reader_.damaged(), 2U);
}

TEST_F(FrameReaderTest, ReadsWhatTheTrackerKnowsOfAnObject) {
  auto* frame = batch_.AddFrame(0, 0);
  frame->pipeline_width = 960;
  frame->pipeline_height = 540;
  auto* object = batch_.AddObject(frame, 0, "person", 0, 0, 30, 20);
  float vector[3] = {0.1F, 0.2F, 0.3F};
  nvds::NvDsObjReid reid{};
  reid.featureSize = 3;
  reid.ptr_host = vector;
  batch_.AddExtra(object, nvds::NVDS_TRACKER_OBJ_REID_META, reid);
  batch_.AddExtra(object, nvds::NVDS_OBJ_VISIBILITY, 0.75F);
  struct Point {
    float at[2];
  };
  batch_.AddExtra(object, nvds::NVDS_OBJ_IMAGE_FOOT_LOCATION, Point{{15, 20}});
  batch_.AddExtra(object, nvds::NVDS_OBJ_WORLD_FOOT_LOCATION, Point{{-2.5F, 7}});
  const FrameObject& person = ReadOne(frame);
  EXPECT_EQ(person.embedding, vector);
  EXPECT_EQ(person.embedding_size, 3U);
  EXPECT_EQ(person.visibility, 0.75F);
  ASSERT_TRUE(person.has_foot_image);
  EXPECT_FLOAT_EQ(person.foot_image[0], 30) << "in pixels of the source";
  EXPECT_FLOAT_EQ(person.foot_image[1], 40);
  ASSERT_TRUE(person.has_foot_world);
  EXPECT_EQ(person.foot_world[0], -2.5F);
  EXPECT_EQ(person.foot_world[1], 7);

  auto* other = batch_.AddFrame(0, 1);
  auto* on_gpu = batch_.AddObject(other, 0, "person", 0, 0, 30, 20);
  reid.ptr_host = nullptr;
  batch_.AddExtra(on_gpu, nvds::NVDS_TRACKER_OBJ_REID_META, reid);
  EXPECT_EQ(ReadOne(other).embedding_size, 0U);
}

TEST_F(FrameReaderTest, ReadsAnalytics) {
  auto* frame = batch_.AddFrame(0, 0);
  nvds::NvDsAnalyticsFrameMeta counts;
  counts.objInROIcnt = {{"yard", 3}, {"door", 7}};
  counts.ocStatus = {{"door", true}, {"lift", false}};
  counts.objLCCurrCnt = {{"in", 2}};
  counts.objLCCumCnt = {{"out", 9}, {"in", 5'000'000'000}};
  counts.unique_id = 0;
  batch_.AddExtra(frame, nvds::NVDS_FRAME_META_NVDSANALYTICS, counts);
  auto* object = batch_.AddObject(frame, 0, "person", 0, 0, 30, 20);
  nvds::NvDsAnalyticsObjInfo info;
  info.roiStatus = {"yard", "door"};
  info.ocStatus = {"door"};
  info.lcStatus = {"in"};
  info.dirStatus = " DIR:north gate  DIR:any ";
  info.unique_id = 0;
  info.objStatus = " ROI:STOPPED-zone  DIR:north gate ";
  batch_.AddExtra(object, nvds::NVDS_OBJ_META_NVDSANALYTICS, info);

  const FrameObject& person = ReadOne(frame);
  using Texts = std::vector<std::string_view>;
  EXPECT_EQ(person.analytics.zones, (Texts{"yard", "door"}));
  EXPECT_EQ(person.analytics.overcrowded_zones, Texts{"door"});
  EXPECT_EQ(person.analytics.lines_crossed, Texts{"in"});
  EXPECT_EQ(person.analytics.direction, "north gate");
  EXPECT_FALSE(person.analytics.stopped);
  const FrameAnalytics& found = message_.analytics;
  ASSERT_EQ(found.zones.size(), 3U);
  EXPECT_EQ(found.zones[0].id, "door");
  EXPECT_EQ(found.zones[0].objects, 7U);
  EXPECT_TRUE(found.zones[0].overcrowded);
  EXPECT_EQ(found.zones[1].id, "lift");
  EXPECT_EQ(found.zones[1].objects, 0U);
  EXPECT_EQ(found.zones[2].id, "yard");
  EXPECT_FALSE(found.zones[2].overcrowded);
  ASSERT_EQ(found.lines.size(), 2U);
  EXPECT_EQ(found.lines[0].id, "in");
  EXPECT_EQ(found.lines[0].crossings, 2U);
  EXPECT_EQ(found.lines[0].crossings_total, 5'000'000'000U);
  EXPECT_EQ(found.lines[1].id, "out");
  EXPECT_EQ(found.lines[1].crossings, 0U);

  auto* next = batch_.AddFrame(0, 1);
  auto* resting = batch_.AddObject(next, 0, "person", 0, 0, 30, 20);
  nvds::NvDsAnalyticsObjInfo status;
  status.objStatus = " STOPPED ";
  status.unique_id = 0;
  batch_.AddExtra(resting, nvds::NVDS_OBJ_META_NVDSANALYTICS, status);
  EXPECT_TRUE(ReadOne(next).analytics.stopped);
  EXPECT_EQ(message_.objects[0].analytics.direction, "");
  EXPECT_TRUE(message_.objects[0].analytics.zones.empty()) << "nothing is left of the last frame";
  EXPECT_TRUE(message_.analytics.zones.empty());
}

TEST_F(FrameReaderTest, AFrameKeepsNothingOfTheOneBefore) {
  auto* full = batch_.AddFrame(0, 0);
  float scores[1] = {1};
  for (int i = 0; i < 5; ++i) {
    auto* object = batch_.AddObject(full, 1, "car", 0, 0, 10, 10);
    object->mask_params = {scores, sizeof(scores), 0.5F, 1, 1};
    object->rect_params.rotation_angle = 30;
    DsBatch::Track(object, static_cast<guint64>(i), 0.5F);
    batch_.AddLabels(object, 2, "colour", {{"red", 1, 1}});
    batch_.AddExtra(object, nvds::NVDS_OBJ_VISIBILITY, 0.5F);
  }
  EXPECT_EQ(Read(full).objects.size(), 5U);
  auto* plain = batch_.AddFrame(0, 1);
  batch_.AddObject(plain, 0, "person", 0, 0, 10, 10);
  const FrameObject& person = ReadOne(plain, 1);
  EXPECT_FALSE(person.tracked);
  EXPECT_TRUE(person.classifications.empty());
  EXPECT_EQ(person.mask.scores, nullptr);
  EXPECT_EQ(person.rotation_deg, 0);
  EXPECT_EQ(person.visibility, 0);
  EXPECT_TRUE(Read(batch_.AddFrame(0, 2), 2).objects.empty());
  EXPECT_EQ(Read(full, 3).objects.size(), 5U);
  EXPECT_EQ(message_.objects[4].classifications.size(), 1U);
}

TEST_F(FrameReaderTest, EndsWithListsThatGoInCircles) {
  auto* frame = batch_.AddFrame(0, 0);
  batch_.AddObject(frame, 0, "person", 0, 0, 10, 10);
  frame->num_obj_meta = 7;  // is not believed
  EXPECT_EQ(Read(frame).objects.size(), 1U);
  GList* list = frame->obj_meta_list;
  list->next = list;
  EXPECT_EQ(Read(frame).objects.size(), 65'536U);
  EXPECT_EQ(reader_.damaged(), 1U);
  EXPECT_TRUE(FrameReader::HasObjects(*frame));
  list->next = nullptr;
  list->data = nullptr;
  EXPECT_TRUE(Read(frame).objects.empty());
  EXPECT_FALSE(FrameReader::HasObjects(*frame));
}

}  // namespace
}  // namespace sightline::test
