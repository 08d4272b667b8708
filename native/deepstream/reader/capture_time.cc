#include "deepstream/reader/capture_time.h"

namespace sightline {

CaptureTimes::Moment CaptureTimes::Of(const nvds::NvDsFrameMeta& frame, CaptureClock ntp_clock,
                                      bool live, std::uint64_t now_unix_ns) {
  if (live) {
    if (frame.ntp_timestamp != 0) return {frame.ntp_timestamp, ntp_clock};
    return {now_unix_ns, CaptureClock::kArrival};
  }
  constexpr std::uint64_t kNoPts = UINT64_MAX;
  if (frame.buf_pts == kNoPts) return {now_unix_ns, CaptureClock::kArrival};
  if (!started_) {
    started_ = true;
    start_pts_ = frame.buf_pts;
    start_unix_ns_ = now_unix_ns;
  }
  // Unsigned arithmetic wraps back to the right time for a frame that is shown before the first.
  return {start_unix_ns_ + (frame.buf_pts - start_pts_), CaptureClock::kMedia};
}

}  // namespace sightline
