#include "deepstream/frame_sampler.h"

#include "deepstream/reader/frame_reader.h"
#include "deepstream/reader/meta_list.h"

using sightline::FrameMark;
using sightline::nvds::NvDsBatchMeta;
using sightline::nvds::NvDsFrameMeta;

namespace {

// Whether the interval is over. Time that goes backwards (a source that was reset) starts a new
// one.
bool IsDue(GstClockTime last, GstClockTime pts, guint interval_ms) {
  if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(last)) return true;
  return pts < last || pts - last >= interval_ms * GST_MSECOND;
}

}  // namespace

void FrameSampler::Start(sightline::CaptureClock ntp_clock) {
  ntp_clock_ = ntp_clock;
  pads_.clear();
}

guint64 FrameSampler::Mark(GstBaseTransform* element, NvDsBatchMeta* batch, guint interval_ms,
                           bool only_with_objects) {
  guint64 marked = 0;
  sightline::CollectList(batch->frame_meta_list, &frames_);
  for (const NvDsFrameMeta* frame : frames_) {
    // Ours to write to, as the batch is.
    auto* own = const_cast<NvDsFrameMeta*>(frame);
    marked += MarkFrame(element, own, interval_ms, only_with_objects) ? 1 : 0;
  }
  return marked;
}

bool FrameSampler::MarkFrame(GstBaseTransform* element, NvDsFrameMeta* frame, guint interval_ms,
                             bool only_with_objects) {
  Pad& pad = pads_[frame->pad_index];
  // What stands there is not ours: the frame's memory has been another frame's.
  frame->misc_frame_info[0] = 0;
  FrameMark mark = pad.identity.Identify(element, *frame, ntp_clock_);
  mark.image = IsDue(pad.last_mark, frame->buf_pts, interval_ms) &&
               (!only_with_objects || sightline::FrameReader::HasObjects(*frame));
  if (mark.image) pad.last_mark = frame->buf_pts;
  sightline::WriteFrameMark(mark, frame);
  return mark.image;
}

std::optional<FrameMark> FrameSampler::FindChosen(const NvDsBatchMeta& batch) {
  std::optional<FrameMark> chosen;
  sightline::CollectList(batch.frame_meta_list, &frames_);
  for (const NvDsFrameMeta* frame : frames_) {
    const auto mark = sightline::ReadFrameMark(*frame);
    if (mark && mark->image) chosen = mark;
  }
  return chosen;
}
