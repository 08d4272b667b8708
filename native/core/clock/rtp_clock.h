#pragma once

#include <cstdint>
#include <optional>

namespace sightline {

// Nanoseconds since the Unix epoch of a 64-bit NTP timestamp (32.32 fixed point). NTP counts
// seconds modulo 2^32 from 1900; as usual (RFC 4330, 3) a clear top bit means the era that starts
// in 2036. Never returns 0: times up to 1970, which only a broken clock gives, become 1 ns.
std::uint64_t NtpToUnixNs(std::uint64_t ntp);

// Maps RTP timestamps to the sender's wall clock through its RTCP sender reports (RFC 3550, 6.4.1).
// Follows the timestamps' 32-bit wraps, so the mapping stays right however old the last report is.
class RtpClock {
 public:
  // Forgets everything. `clock_rate` in Hz, 0 when the stream does not say.
  void Reset(int clock_rate);
  int clock_rate() const { return clock_rate_; }

  // Takes the latest report, which may be the one already known. An NTP time of 0 means that the
  // sender has no wall clock; such a report is ignored.
  void SetReport(std::uint64_t ntp, std::uint32_t rtp);

  // Capture time of the packet at `rtp`, or nothing before the first report. Call it for every
  // packet in order. Never returns 0: a time at or before the epoch becomes 1 ns.
  std::optional<std::uint64_t> CaptureUnixNs(std::uint32_t rtp);

 private:
  struct Report {
    std::uint64_t ntp = 0;
    std::uint32_t rtp = 0;
    std::int64_t ticks = 0;
    std::int64_t unix_ns = 0;
  };

  // Moves the 64-bit tick count to `rtp`, which lies at most 2^31 ticks from the last one.
  std::int64_t Follow(std::uint32_t rtp);

  int clock_rate_ = 0;
  bool started_ = false;
  std::uint32_t last_rtp_ = 0;
  std::int64_t ticks_ = 0;
  std::optional<Report> report_;
};

}  // namespace sightline
