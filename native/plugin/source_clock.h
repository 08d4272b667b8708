#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include "core/clock/rtp_clock.h"
#include "plugin/frame_meta.h"

// Tells when a buffer was captured, by the best clock at hand:
//  - RTP whose sender reports are known: the camera's clock;
//  - a recorded source (not live): the wall clock when its first buffer passed, plus the buffer's
//    running time since then, so that media time advances as it was recorded however fast it is
//    read;
//  - anything else: now.
class SlSourceClock {
 public:
  // Forgets the source; call it when the element starts.
  void Reset();
  // Takes the stream's caps, for the RTP clock rate.
  void SetCaps(const GstCaps* caps);
  // Fills the meta's arrival and capture fields.
  void Stamp(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame);

 private:
  void StampRtp(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame);
  void StampOther(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame);
  void RefreshReport(GstBaseTransform* element, guint32 ssrc, guint64 now_ns);

  bool rtp_ = false;
  sightline::RtpClock rtp_clock_;
  guint32 ssrc_ = 0;
  bool ssrc_known_ = false;
  guint64 next_refresh_ns_ = 0;
  // Packets of one picture share their timestamp; its first one tells when the picture came.
  guint32 picture_rtp_ = 0;
  guint64 picture_receive_ns_ = 0;
  guint64 picture_unix_ns_ = 0;

  bool liveness_known_ = false;
  bool live_ = true;
  guint64 media_start_unix_ns_ = 0;
  GstClockTime media_start_ = GST_CLOCK_TIME_NONE;
};
