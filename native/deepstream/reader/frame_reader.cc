#include "deepstream/reader/frame_reader.h"

#include <algorithm>

#include "deepstream/reader/meta_list.h"

namespace sightline {
namespace {

// Back to defaults, keeping what the lists have allocated.
void Clear(FrameObject* object) {
  FrameObject blank;
  blank.classifications.swap(object->classifications);
  blank.analytics.zones.swap(object->analytics.zones);
  blank.analytics.overcrowded_zones.swap(object->analytics.overcrowded_zones);
  blank.analytics.lines_crossed.swap(object->analytics.lines_crossed);
  blank.classifications.clear();
  blank.analytics.zones.clear();
  blank.analytics.overcrowded_zones.clear();
  blank.analytics.lines_crossed.clear();
  *object = std::move(blank);
}

bool IsFrameObject(const nvds::NvDsObjectMeta& object) { return object.class_id < 0; }

}  // namespace

void FrameReader::Read(const nvds::NvDsBatchMeta& batch, const nvds::NvDsFrameMeta& frame,
                       TrackMemory* tracks, FrameMessage* message) {
  space_ = FrameSpace(frame, facts_.padded);
  tracks_ = tracks;
  sequence_ = message->identity.sequence;
  message->identity.width = space_.width();
  message->identity.height = space_.height();
  message->inferred = frame.bInferDone != 0;

  Check(CollectReversedList(frame.obj_meta_list, &object_list_));
  kept_.clear();
  objects_.Begin(&message->objects);
  for (const nvds::NvDsObjectMeta* object : object_list_) {
    FrameObject& out = objects_.Next();
    Clear(&out);
    const bool keep =
        IsFrameObject(*object) ? ReadFrameObject(*object, &out) : ReadObject(*object, &out);
    if (keep) {
      kept_.push_back(object);
    } else {
      objects_.TakeBack();
    }
  }
  objects_.End();
  LinkParents(message);
  ReadAnalytics(frame, message);
  ReadTrackRecords(batch, frame, message);
  tracks_->EndFrame(sequence_);
}

bool FrameReader::HasObjects(const nvds::NvDsFrameMeta& frame) {
  std::size_t seen = 0;
  for (const GList* at = frame.obj_meta_list; at != nullptr && seen < kLongestList;
       at = at->next, ++seen) {
    const auto* object = static_cast<const nvds::NvDsObjectMeta*>(at->data);
    if (object != nullptr && !IsFrameObject(*object)) return true;
  }
  return false;
}

// Objects inside others are few; a search among those that are kept costs less than a table.
void FrameReader::LinkParents(FrameMessage* message) {
  for (std::size_t i = 0; i < kept_.size(); ++i) {
    if (kept_[i]->parent == nullptr) continue;
    const auto at = std::find(kept_.begin(), kept_.end(), kept_[i]->parent);
    if (at == kept_.end()) continue;
    message->objects[i].parent = static_cast<std::uint32_t>(at - kept_.begin()) + 1;
  }
}

}  // namespace sightline
