#include <algorithm>

#include "deepstream/reader/frame_reader.h"
#include "deepstream/reader/meta_list.h"
#include "deepstream/reader/meta_text.h"

// The part of FrameReader that reads nvtracker's lists of tracks beside the objects of a frame.
namespace sightline {
namespace {

// Longer than any tracker's history of one track.
constexpr std::uint32_t kLongestTrack = 16384;
// nvtracker allots one frame to a shadow track, whatever its counter says.
constexpr std::uint32_t kShadowFrames = 1;
constexpr std::uint16_t kNoClass = UINT16_MAX;

bool IsTrackList(const nvds::NvDsUserMeta& extra, TrackRecord::Kind* kind) {
  switch (extra.base_meta.meta_type) {
    case nvds::NVDS_TRACKER_PAST_FRAME_META:
      *kind = TrackRecord::Kind::kPastFrames;
      return true;
    case nvds::NVDS_TRACKER_TERMINATED_LIST_META:
      *kind = TrackRecord::Kind::kTerminated;
      return true;
    case nvds::NVDS_TRACKER_SHADOW_LIST_META:
      *kind = TrackRecord::Kind::kShadow;
      return true;
    default:
      return false;
  }
}

TrackState State(nvds::TRACKER_STATE state) {
  switch (state) {
    case nvds::ACTIVE:
    case nvds::QUASIACTIVE:  // other cameras see it
      return TrackState::kActive;
    case nvds::INACTIVE:
      return TrackState::kInactive;
    case nvds::TENTATIVE:
      return TrackState::kTentative;
    case nvds::PROJECTED:
      return TrackState::kProjected;
    default:
      return TrackState::kUnspecified;
  }
}

float Score(float value) { return value > 0 ? value : 0; }

}  // namespace

// Calls visit(kind, stream) for every stream of every list. Lists that say they hold more than was
// allotted are read as far as that.
template <class Visit>
void FrameReader::ForEachTrackStream(const nvds::NvDsBatchMeta& batch, Visit&& visit) {
  CollectList(batch.batch_user_meta_list, &user_list_);
  for (const nvds::NvDsUserMeta* extra : user_list_) {
    TrackRecord::Kind kind;
    if (extra->user_meta_data == nullptr || !IsTrackList(*extra, &kind)) continue;
    const auto& lists = *static_cast<const nvds::NvDsTargetMiscDataBatch*>(extra->user_meta_data);
    if (lists.list == nullptr) continue;
    const std::uint32_t count = std::min(lists.numFilled, lists.numAllocated);
    for (std::uint32_t i = 0; i < count; ++i) {
      if (lists.list[i].list != nullptr) visit(kind, lists.list[i]);
    }
  }
}

void FrameReader::ReadTrackRecords(const nvds::NvDsBatchMeta& batch,
                                   const nvds::NvDsFrameMeta& frame, FrameMessage* message) {
  records_.Begin(&message->track_records);
  const std::int64_t base = static_cast<std::int64_t>(sequence_) - frame.frame_num;
  ForEachTrackStream(batch, [&](TrackRecord::Kind kind, const auto& stream) {
    if (stream.streamID == frame.pad_index) ReadTrackList(kind, stream, base);
  });
  records_.End();
}

void FrameReader::ReadTrackList(TrackRecord::Kind kind,
                                const nvds::NvDsTargetMiscDataStream& stream, std::int64_t base) {
  const bool past = kind == TrackRecord::Kind::kPastFrames;
  // nvtracker brings the boxes of past frames to the batch's size, and those of the others not.
  const FrameSpace space =
      past ? space_ : space_.FromTracker(facts_.tracker_width, facts_.tracker_height);
  Check(stream.numFilled <= stream.numAllocated);
  const std::uint32_t count = std::min(stream.numFilled, stream.numAllocated);
  for (std::uint32_t i = 0; i < count; ++i) {
    nvds::NvDsTargetMiscDataObject track = stream.list[i];
    if (track.list == nullptr || track.numObj == 0) continue;
    if (kind == TrackRecord::Kind::kShadow) track.numObj = kShadowFrames;
    const bool allotted =
        kind != TrackRecord::Kind::kTerminated || track.numObj <= track.numAllocated;
    Check(allotted && track.numObj <= kLongestTrack);
    if (!allotted) track.numObj = track.numAllocated;
    track.numObj = std::min(track.numObj, kLongestTrack);

    TrackRecord& record = records_.Next();
    record.kind = kind;
    record.track_id = track.uniqueId;
    record.class_id = track.classId == kNoClass ? -1 : track.classId;
    // Only past frames come with a label; for the others the memory behind it is not set.
    record.label = past ? MetaText(stream.list[i].objLabel, sizeof(track.objLabel))
                        : tracks_->LabelOf(record.class_id);
    record.points.clear();
    ReadTrackPoints(track, space, base, &record);
    if (record.points.empty()) records_.TakeBack();
  }
}

void FrameReader::ReadTrackPoints(const nvds::NvDsTargetMiscDataObject& track,
                                  const FrameSpace& space, std::int64_t base, TrackRecord* record) {
  for (std::uint32_t i = 0; i < track.numObj; ++i) {
    const nvds::NvDsTargetMiscDataFrame& at = track.list[i];
    TrackRecord::Point point;
    point.frame_sequence =
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, base + at.frameNum));
    point.box = space.ToSource({at.tBbox.left, at.tBbox.top, at.tBbox.width, at.tBbox.height});
    if (!space.Clip(&point.box)) continue;
    point.confidence = Score(at.confidence);
    point.age = at.age;
    point.state = State(at.trackerState);
    point.visibility = Score(at.visibility);
    record->points.push_back(point);
  }
}

std::uint64_t FrameReader::CheckBatch(const nvds::NvDsBatchMeta& batch) {
  Check(CollectList(batch.batch_user_meta_list, &user_list_));
  for (const nvds::NvDsUserMeta* extra : user_list_) {
    TrackRecord::Kind kind;
    if (extra->user_meta_data == nullptr || !IsTrackList(*extra, &kind)) continue;
    const auto& lists = *static_cast<const nvds::NvDsTargetMiscDataBatch*>(extra->user_meta_data);
    Check(lists.numFilled <= lists.numAllocated);
  }
  std::uint64_t orphans = 0;
  ForEachTrackStream(batch, [&](TrackRecord::Kind, const auto& stream) {
    std::size_t frames = 0;
    for (const GList* at = batch.frame_meta_list; at != nullptr && frames < kLongestList;
         at = at->next, ++frames) {
      const auto* frame = static_cast<const nvds::NvDsFrameMeta*>(at->data);
      if (frame != nullptr && frame->pad_index == stream.streamID) return;
    }
    orphans += std::min(stream.numFilled, stream.numAllocated);
  });
  return orphans;
}

}  // namespace sightline
