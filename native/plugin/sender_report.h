#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <optional>

struct SlSenderReport {
  guint64 ntp = 0;  // 32.32 fixed point, the sender's wall clock
  guint32 rtp = 0;  // the same instant in the stream's RTP time
};

// The last RTCP sender report of the stream `ssrc` that reaches `sink_pad`, or nothing while there
// is none. Walks upstream to the rtpbin (rtspsrc has one inside) and asks its session, so that
// neither the application nor a newer GStreamer has to help. Cheap enough for once a second, not
// for every packet.
std::optional<SlSenderReport> SlFindSenderReport(GstPad* sink_pad, guint32 ssrc);
