#include "plugin/source_clock.h"

#include <gst/rtp/gstrtpbuffer.h>

#include "plugin/metadata_filter.h"
#include "plugin/sender_report.h"

namespace {

// Cameras report every five seconds or so; until the first report is known, ask more often.
constexpr guint64 kRefreshNs = 1'000'000'000;
constexpr guint64 kFirstReportNs = 100'000'000;

}  // namespace

void SlSourceClock::Reset() { *this = SlSourceClock(); }

void SlSourceClock::SetCaps(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  rtp_ = gst_structure_has_name(structure, "application/x-rtp") != FALSE;
  gint clock_rate = 0;
  gst_structure_get_int(structure, "clock-rate", &clock_rate);
  if (!rtp_ || clock_rate == rtp_clock_.clock_rate()) return;
  rtp_clock_.Reset(clock_rate);
  ssrc_known_ = false;
}

void SlSourceClock::Stamp(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame) {
  if (rtp_) {
    StampRtp(element, buffer, frame);
  } else {
    StampOther(element, buffer, frame);
  }
}

void SlSourceClock::RefreshReport(GstBaseTransform* element, guint32 ssrc, guint64 now_ns) {
  if (now_ns < next_refresh_ns_) return;
  const auto report = SlFindSenderReport(GST_BASE_TRANSFORM_SINK_PAD(element), ssrc);
  if (report) rtp_clock_.SetReport(report->ntp, report->rtp);
  next_refresh_ns_ = now_ns + (report ? kRefreshNs : kFirstReportNs);
}

void SlSourceClock::StampRtp(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame) {
  GstRTPBuffer packet = GST_RTP_BUFFER_INIT;
  if (!gst_rtp_buffer_map(buffer, GST_MAP_READ, &packet)) return;
  const guint32 rtp = gst_rtp_buffer_get_timestamp(&packet);
  const guint32 ssrc = gst_rtp_buffer_get_ssrc(&packet);
  gst_rtp_buffer_unmap(&packet);

  const bool new_source = !ssrc_known_ || ssrc != ssrc_;
  if (new_source) {
    rtp_clock_.Reset(rtp_clock_.clock_rate());
    ssrc_ = ssrc;
    ssrc_known_ = true;
    next_refresh_ns_ = 0;
  }
  if (new_source || rtp != picture_rtp_) {
    picture_rtp_ = rtp;
    picture_receive_ns_ = SlMonotonicNs();
    picture_unix_ns_ = SlUnixNs();
    RefreshReport(element, ssrc, picture_receive_ns_);
  }
  const auto capture = rtp_clock_.CaptureUnixNs(rtp);
  frame->receive_ns = picture_receive_ns_;
  frame->capture_unix_ns = capture.value_or(picture_unix_ns_);
  frame->capture_clock = capture ? SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT : SL_CAPTURE_CLOCK_ARRIVAL;
}

void SlSourceClock::StampOther(GstBaseTransform* element, GstBuffer* buffer, SlFrameMeta* frame) {
  if (!liveness_known_) {
    live_ = SlIsLive(element);
    liveness_known_ = true;
  }
  const guint64 now_unix_ns = SlUnixNs();
  frame->receive_ns = SlMonotonicNs();
  frame->capture_unix_ns = now_unix_ns;
  frame->capture_clock = SL_CAPTURE_CLOCK_ARRIVAL;
  if (live_) return;

  const GstClockTime media =
      gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(media)) return;
  if (!GST_CLOCK_TIME_IS_VALID(media_start_)) {
    media_start_ = media;
    media_start_unix_ns_ = now_unix_ns;
  }
  // Pictures that are shown earlier may come later; unsigned arithmetic wraps back to the right
  // time.
  frame->capture_unix_ns = media_start_unix_ns_ + (media - media_start_);
  frame->capture_clock = SL_CAPTURE_CLOCK_MEDIA;
}
