#include "deepstream/pad_identity.h"

#include "core/error.h"
#include "plugin/metadata_filter.h"

using sightline::CaptureClock;
using sightline::FrameMark;

FrameMark PadIdentity::Identify(GstBaseTransform* element,
                                const sightline::nvds::NvDsFrameMeta& frame,
                                CaptureClock ntp_clock) {
  if (const auto marked = sightline::ReadFrameMark(frame)) {
    numbers_.Follow(frame.frame_num, marked->sequence);
    return *marked;
  }
  if (!live_known_) {
    live_ = SlIsLive(element);
    live_known_ = true;
  }
  const auto captured = times_.Of(frame, ntp_clock, live_, SlUnixNs());
  FrameMark mark;
  mark.sequence = numbers_.Number(frame.frame_num);
  mark.capture_unix_ns = captured.unix_ns;
  mark.capture_clock = captured.clock;
  return mark;
}

CaptureClock ParseCaptureClock(const std::string& text) {
  if (text == "rtcp") return CaptureClock::kRtcpSenderReport;
  if (text == "arrival") return CaptureClock::kArrival;
  throw sightline::Error(sightline::ErrorKind::kSettings,
                         "capture-clock is \"" + text + "\"; it must be \"rtcp\" or \"arrival\"");
}
