#pragma once

#include <cstdint>

#include "core/encode/frame_message.h"
#include "deepstream/abi/meta.h"

namespace sightline {

// Tells when the frames of one pad were captured, as well as the pipeline can know it.
class CaptureTimes {
 public:
  struct Moment {
    std::uint64_t unix_ns = 0;
    CaptureClock clock = CaptureClock::kUnspecified;
  };

  // `ntp_clock` is what the muxer's ntp_timestamp means: RTCP's time or the host's at arrival. It
  // is 0 until the camera's first sender report: then the frame was captured now. A source that is
  // not live (a recording) has no wall clock: its first frame was captured now, and the others as
  // much later as their media time says, however fast they are read.
  Moment Of(const nvds::NvDsFrameMeta& frame, CaptureClock ntp_clock, bool live,
            std::uint64_t now_unix_ns);

 private:
  bool started_ = false;
  std::uint64_t start_pts_ = 0;
  std::uint64_t start_unix_ns_ = 0;
};

}  // namespace sightline
