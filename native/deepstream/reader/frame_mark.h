#pragma once

#include <cstdint>
#include <optional>

#include "core/encode/frame_message.h"
#include "deepstream/abi/meta.h"

namespace sightline {

// Who a frame is, and whether its picture was chosen: decided once, before the branches part, and
// read in each of them, so that all of them name the frame alike.
struct FrameMark {
  std::uint64_t sequence = 0;
  std::uint64_t capture_unix_ns = 0;
  CaptureClock capture_clock = CaptureClock::kUnspecified;
  bool image = false;
};

// The mark lives in NvDsFrameMeta.misc_frame_info, which is there for applications, costs nothing,
// and goes with the frame through nvstreamdemux and every other copy. It carries a check, so that
// what someone else writes there is not taken for a mark. Call both under the batch's lock.
void WriteFrameMark(const FrameMark& mark, nvds::NvDsFrameMeta* frame);
std::optional<FrameMark> ReadFrameMark(const nvds::NvDsFrameMeta& frame);

}  // namespace sightline
