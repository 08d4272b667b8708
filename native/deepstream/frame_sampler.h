#pragma once

#include <gst/base/gstbasetransform.h>

#include <map>
#include <optional>
#include <vector>

#include "deepstream/abi/meta.h"
#include "deepstream/pad_identity.h"

// The rule by which sldssample chooses frames of a batch, stream by stream. Call its functions
// under the batch's lock.
class FrameSampler {
 public:
  // Forgets every stream.
  void Start(sightline::CaptureClock ntp_clock);
  // Names every frame of the batch and marks those whose picture is to be stored: at most one of a
  // stream in `interval_ms` of presentation time, and only ones with objects where that is asked.
  // Gives the number of those.
  guint64 Mark(GstBaseTransform* element, sightline::nvds::NvDsBatchMeta* batch, guint interval_ms,
               bool only_with_objects);
  // The mark of the batch's last frame whose picture was chosen.
  std::optional<sightline::FrameMark> FindChosen(const sightline::nvds::NvDsBatchMeta& batch);

 private:
  struct Pad {
    PadIdentity identity;
    GstClockTime last_mark = GST_CLOCK_TIME_NONE;
  };
  bool MarkFrame(GstBaseTransform* element, sightline::nvds::NvDsFrameMeta* frame,
                 guint interval_ms, bool only_with_objects);

  sightline::CaptureClock ntp_clock_ = sightline::CaptureClock::kUnspecified;
  std::map<guint, Pad> pads_;
  std::vector<const sightline::nvds::NvDsFrameMeta*> frames_;
};
