#pragma once

#include <cstdint>
#include <string>

namespace sightline::camera {

/** What a sender report says (RFC 3550, 6.4.1). */
struct SenderReport {
  std::uint32_t ssrc = 0;
  /** Unix time in ns, and the RTP time stamp at the same moment. */
  std::uint64_t wall_ns = 0;
  std::uint32_t rtp_time = 0;
  std::uint32_t packets = 0;
  std::uint32_t bytes = 0;
};

/** A compound packet: the report and the sender's canonical name. */
std::string WriteReport(const SenderReport& report);

}  // namespace sightline::camera
