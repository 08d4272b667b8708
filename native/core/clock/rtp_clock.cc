#include "core/clock/rtp_clock.h"

#include <algorithm>

namespace sightline {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kUnixEpochInNtpSeconds = 2'208'988'800;
constexpr std::int64_t kNtpEraSeconds = std::int64_t{1} << 32;

// ticks / rate in nanoseconds without overflowing 64 bits.
std::int64_t TicksToNs(std::int64_t ticks, int rate) {
  return ticks / rate * kSecondNs + ticks % rate * kSecondNs / rate;
}

}  // namespace

std::uint64_t NtpToUnixNs(std::uint64_t ntp) {
  auto seconds = static_cast<std::int64_t>(ntp >> 32);
  const std::uint64_t fraction = ntp & 0xffffffffU;
  if (seconds < kNtpEraSeconds / 2) seconds += kNtpEraSeconds;
  const std::int64_t whole_ns = (seconds - kUnixEpochInNtpSeconds) * kSecondNs;
  const std::int64_t ns = whole_ns + static_cast<std::int64_t>((fraction * kSecondNs) >> 32);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 1));
}

void RtpClock::Reset(int clock_rate) {
  *this = RtpClock();
  clock_rate_ = clock_rate;
}

std::int64_t RtpClock::Follow(std::uint32_t rtp) {
  if (started_) ticks_ += static_cast<std::int32_t>(rtp - last_rtp_);
  started_ = true;
  last_rtp_ = rtp;
  return ticks_;
}

void RtpClock::SetReport(std::uint64_t ntp, std::uint32_t rtp) {
  if (ntp == 0) return;
  if (report_ && report_->ntp == ntp && report_->rtp == rtp) return;
  if (!started_) Follow(rtp);
  const std::int64_t ticks = ticks_ + static_cast<std::int32_t>(rtp - last_rtp_);
  report_ = Report{ntp, rtp, ticks, static_cast<std::int64_t>(NtpToUnixNs(ntp))};
}

std::optional<std::uint64_t> RtpClock::CaptureUnixNs(std::uint32_t rtp) {
  const std::int64_t ticks = Follow(rtp);
  if (!report_ || clock_rate_ <= 0) return std::nullopt;
  const std::int64_t ns = report_->unix_ns + TicksToNs(ticks - report_->ticks, clock_rate_);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 1));
}

}  // namespace sightline
