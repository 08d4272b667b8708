#include <gtest/gtest.h>

#include "deepstream/reader/frame_reader.h"
#include "tests/support/ds_batch.h"

namespace sightline::test {
namespace {

using Kind = TrackRecord::Kind;

nvds::NvDsTargetMiscDataFrame At(guint frame_num, float left, nvds::TRACKER_STATE state) {
  nvds::NvDsTargetMiscDataFrame at{};
  at.frameNum = frame_num;
  at.tBbox.left = left;
  at.tBbox.top = 20;
  at.tBbox.width = 30;
  at.tBbox.height = 40;
  at.confidence = 0.5F;
  at.age = frame_num + 1;
  at.trackerState = state;
  at.visibility = 0.25F;
  return at;
}

nvds::NvDsTargetMiscDataObject Track(guint64 id, guint16 class_id, const char* label = "") {
  nvds::NvDsTargetMiscDataObject track{};
  track.uniqueId = id;
  track.classId = class_id;
  Fill(label, &track.objLabel);
  return track;
}

class TrackRecordsTest : public testing::Test {
 protected:
  const std::vector<TrackRecord>& Read(nvds::NvDsFrameMeta* frame, std::uint64_t sequence) {
    message_.identity.sequence = sequence;
    reader_.Read(*batch_.get(), *frame, &tracks_, &message_);
    return message_.track_records;
  }

  DsBatch batch_;
  FrameReader reader_;
  TrackMemory tracks_;
  FrameMessage message_;
};

TEST_F(TrackRecordsTest, GivesEachStreamItsOwn) {
  auto* first = batch_.AddFrame(0, 50);
  auto* second = batch_.AddFrame(4, 8);
  batch_.AddTracks(nvds::NVDS_TRACKER_PAST_FRAME_META, 4, {Track(11, 2, "car")},
                   {At(5, 10, nvds::TENTATIVE), At(6, 12, nvds::ACTIVE)});
  EXPECT_TRUE(Read(first, 50).empty());
  const auto& records = Read(second, 108);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].kind, Kind::kPastFrames);
  EXPECT_EQ(records[0].track_id, 11U);
  EXPECT_EQ(records[0].class_id, 2);
  EXPECT_EQ(records[0].label, "car");
  ASSERT_EQ(records[0].points.size(), 2U);
  const TrackRecord::Point& point = records[0].points[0];
  EXPECT_EQ(point.frame_sequence, 105U) << "counted as the messages are";
  EXPECT_EQ(point.box.left, 10);
  EXPECT_EQ(point.box.top, 20);
  EXPECT_EQ(point.box.width, 30);
  EXPECT_EQ(point.box.height, 40);
  EXPECT_EQ(point.confidence, 0.5F);
  EXPECT_EQ(point.age, 6U);
  EXPECT_EQ(point.state, TrackState::kTentative);
  EXPECT_EQ(point.visibility, 0.25F);
  EXPECT_EQ(records[0].points[1].state, TrackState::kActive);
  EXPECT_EQ(reader_.CheckBatch(*batch_.get()), 0U);
  EXPECT_EQ(reader_.damaged(), 0U);
}

TEST_F(TrackRecordsTest, KnowsTheSpaceOfEachList) {
  reader_.set_facts({false, 960, 540});
  auto* frame = batch_.AddFrame(0, 0);
  frame->pipeline_width = 960;
  frame->pipeline_height = 540;
  frame->source_frame_width = 1920;
  auto* small = batch_.AddFrame(1, 0);
  small->pipeline_width = 1920;
  small->pipeline_height = 1080;
  batch_.AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 1, {Track(1, 0)},
                   {At(0, 10, nvds::PROJECTED)});
  batch_.AddTracks(nvds::NVDS_TRACKER_PAST_FRAME_META, 1, {Track(1, 0)},
                   {At(0, 10, nvds::QUASIACTIVE)});
  const auto& records = Read(small, 0);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].points[0].box.left, 20) << "in the tracker's pixels, half the batch's";
  EXPECT_EQ(records[0].points[0].state, TrackState::kProjected);
  EXPECT_EQ(records[1].points[0].box.left, 10) << "brought to the batch's by nvtracker";
  EXPECT_EQ(records[1].points[0].state, TrackState::kActive);
}

TEST_F(TrackRecordsTest, NamesClassesByTheObjectsThatHadThem) {
  auto* frame = batch_.AddFrame(0, 9);
  DsBatch::Track(batch_.AddObject(frame, 3, "bus", 0, 0, 10, 10), 77);
  // What stands in the label of these lists was never set.
  batch_.AddTracks(nvds::NVDS_TRACKER_SHADOW_LIST_META, 0,
                   {Track(5, 3, "\xde\xad"), Track(6, 4, "\xbe\xef"), Track(7, UINT16_MAX)},
                   {At(9, 10, nvds::INACTIVE)});
  const auto& records = Read(frame, 9);
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0].kind, Kind::kShadow);
  EXPECT_EQ(records[0].label, "bus");
  EXPECT_EQ(records[0].points[0].state, TrackState::kInactive);
  EXPECT_EQ(records[1].label, "");
  EXPECT_EQ(records[1].class_id, 4);
  EXPECT_EQ(records[2].class_id, -1);
}

TEST_F(TrackRecordsTest, ReadsNoFurtherThanWhatWasAllotted) {
  auto* frame = batch_.AddFrame(0, 9);
  auto* shadow = batch_.AddTracks(nvds::NVDS_TRACKER_SHADOW_LIST_META, 0, {Track(5, 0)},
                                  {At(9, 10, nvds::INACTIVE)});
  shadow->list->list->numObj = 60;  // its age; one frame is there
  ASSERT_EQ(Read(frame, 9).size(), 1U);
  EXPECT_EQ(message_.track_records[0].points.size(), 1U);
  EXPECT_EQ(reader_.damaged(), 0U);

  shadow->list->numFilled = 1000;
  EXPECT_EQ(Read(frame, 9).size(), 1U);
  EXPECT_EQ(reader_.damaged(), 1U);
  shadow->numFilled = 1000;
  EXPECT_EQ(Read(frame, 9).size(), 1U);
  EXPECT_EQ(reader_.CheckBatch(*batch_.get()), 0U);
  EXPECT_GT(reader_.damaged(), 1U);

  auto* gone = batch_.AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 0, {Track(8, 0)},
                                {At(9, 10, nvds::INACTIVE), At(9, 11, nvds::INACTIVE)});
  gone->list->list->numObj = 1'000'000;
  ASSERT_EQ(Read(frame, 9).size(), 2U);
  EXPECT_EQ(message_.track_records[1].points.size(), 2U);

  gone->list->list->list = nullptr;
  shadow->list = nullptr;
  EXPECT_TRUE(Read(frame, 9).empty());
}

TEST_F(TrackRecordsTest, CountsWhatNoFrameCanCarry) {
  batch_.AddFrame(0, 9);
  batch_.AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 3, {Track(8, 0), Track(9, 0)},
                   {At(9, 10, nvds::INACTIVE)});
  EXPECT_EQ(reader_.CheckBatch(*batch_.get()), 2U);
}

TEST_F(TrackRecordsTest, LeavesOutTracksWithoutAPlaceInTheFrame) {
  auto* frame = batch_.AddFrame(0, 9);
  batch_.AddTracks(nvds::NVDS_TRACKER_TERMINATED_LIST_META, 0, {Track(8, 0)},
                   {At(9, 5000, nvds::INACTIVE)});
  EXPECT_TRUE(Read(frame, 9).empty());
}

}  // namespace
}  // namespace sightline::test
