#pragma once

#include <cstdint>
#include <vector>

#include "core/encode/frame_message.h"
#include "deepstream/abi/analytics.h"
#include "deepstream/abi/meta.h"
#include "deepstream/abi/tracker.h"
#include "deepstream/reader/frame_space.h"
#include "deepstream/reader/refill.h"
#include "deepstream/reader/track_memory.h"

namespace sightline {

// What a batch does not say about itself.
struct BatchFacts {
  // The muxer keeps the aspect ratio (nvstreammux enable-padding).
  bool padded = false;
  // Size of the tracker's pictures (nvtracker tracker-width, tracker-height), in which the boxes of
  // terminated and shadow tracks are; 0: those are in pixels of the batch.
  std::uint32_t tracker_width = 0;
  std::uint32_t tracker_height = 0;
};

// Label of the object that carries a full-frame classifier's labels; its class_id is -1.
constexpr char kFrameObjectLabel[] = "frame";

// Reads frames of a batch into messages. Texts and arrays of a message point into the batch and
// into the reader: they hold until the batch is released, or the next frame is read. Once it has
// seen its largest frame, a reader allocates nothing. Use one message with one reader.
//
// What is read, and what is made of NVIDIA's sentinels:
//  - boxes come out in pixels of the source frame, clipped to it; objects outside of it are left
//    out. Turned boxes are not clipped, for that would move them.
//  - an object that no tracker follows has no id; a confidence of -0.1 (there is none) becomes 0.
//  - an object that the tracker made without a detection has no detector box and counts the frames
//    since its last one.
//  - a full-frame classifier hangs its labels on an object of class -1: it becomes the object
//    "frame" with those labels, so that they are not lost; without labels it is left out.
//  - lists are put back into the order in which they were filled; zones and lines are sorted by id.
class FrameReader {
 public:
  explicit FrameReader(const BatchFacts& facts = {}) : facts_(facts) {}
  void set_facts(const BatchFacts& facts) { facts_ = facts; }

  // Fills size, `inferred`, objects, analytics and track records. The message's sequence number
  // must be set: tracks are counted by it, and frames of the tracker's lists are numbered from it.
  // Call it, and use the message, under the batch's lock.
  void Read(const nvds::NvDsBatchMeta& batch, const nvds::NvDsFrameMeta& frame, TrackMemory* tracks,
            FrameMessage* message);

  // Whether a frame has an object that is not a full-frame classifier's.
  static bool HasObjects(const nvds::NvDsFrameMeta& frame);

  // Checks what concerns a batch as a whole; call it once a batch. Gives the number of track
  // records of streams that have no frame in the batch: no message can carry them.
  std::uint64_t CheckBatch(const nvds::NvDsBatchMeta& batch);

  // Parts that were left out since the reader was made, as they cannot be right: endless lists,
  // masks smaller than they say, tracks beyond their array.
  std::uint64_t damaged() const { return damaged_; }

 private:
  bool ReadObject(const nvds::NvDsObjectMeta& object, FrameObject* out);
  bool ReadFrameObject(const nvds::NvDsObjectMeta& object, FrameObject* out);
  void ReadBox(const nvds::NvDsObjectMeta& object, FrameObject* out);
  void ReadTrack(const nvds::NvDsObjectMeta& object, FrameObject* out);
  void ReadMask(const nvds::NvOSD_MaskParams& mask, FrameObject* out);
  void ReadLabels(const nvds::NvDsObjectMeta& object, FrameObject* out);
  void ReadObjectExtras(const nvds::NvDsObjectMeta& object, FrameObject* out);
  void LinkParents(FrameMessage* message);
  void ReadAnalytics(const nvds::NvDsFrameMeta& frame, FrameMessage* message);
  void ReadTrackRecords(const nvds::NvDsBatchMeta& batch, const nvds::NvDsFrameMeta& frame,
                        FrameMessage* message);
  void ReadTrackList(TrackRecord::Kind kind, const nvds::NvDsTargetMiscDataStream& stream,
                     std::int64_t base);
  void ReadTrackPoints(const nvds::NvDsTargetMiscDataObject& track, const FrameSpace& space,
                       std::int64_t base, TrackRecord* record);
  template <class Visit>
  void ForEachTrackStream(const nvds::NvDsBatchMeta& batch, Visit&& visit);
  void Check(bool whole) { damaged_ += whole ? 0 : 1; }

  BatchFacts facts_;
  FrameSpace space_;
  TrackMemory* tracks_ = nullptr;
  std::uint64_t sequence_ = 0;
  std::uint64_t damaged_ = 0;
  Refill<FrameObject> objects_;
  Refill<TrackRecord> records_;
  std::vector<const nvds::NvDsObjectMeta*> object_list_;
  std::vector<const nvds::NvDsObjectMeta*> kept_;  // those in the message, in its order
  std::vector<const nvds::NvDsClassifierMeta*> classifier_list_;
  std::vector<const nvds::NvDsLabelInfo*> label_list_;
  std::vector<const nvds::NvDsUserMeta*> user_list_;
};

}  // namespace sightline
