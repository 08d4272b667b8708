#include "core/clock/rtp_clock.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr std::uint64_t kSecondNs = 1'000'000'000;
constexpr std::uint64_t kEpochNtpSeconds = 2'208'988'800;

std::uint64_t Ntp(std::uint64_t unix_seconds) {
  return ((kEpochNtpSeconds + unix_seconds) & 0xffffffffU) << 32;
}

TEST(NtpTest, ConvertsKnownInstants) {
  EXPECT_EQ(NtpToUnixNs(Ntp(1'700'000'000)), 1'700'000'000 * kSecondNs);
  EXPECT_EQ(NtpToUnixNs(Ntp(1'700'000'000) | 0x80000000U),
            1'700'000'000 * kSecondNs + kSecondNs / 2);
  EXPECT_EQ(NtpToUnixNs(Ntp(0)), 1U) << "1970 exactly is not 'unknown'";
  EXPECT_EQ(NtpToUnixNs(Ntp(5)), 5 * kSecondNs) << "a camera whose clock was never set";
}

TEST(NtpTest, CrossesTheEraOf2036) {
  const std::uint64_t last_of_era = 0xffffffffU - kEpochNtpSeconds;
  EXPECT_EQ(NtpToUnixNs(std::uint64_t{0xffffffff} << 32), last_of_era * kSecondNs);
  EXPECT_EQ(NtpToUnixNs(0), (last_of_era + 1) * kSecondNs);
  EXPECT_EQ(NtpToUnixNs(std::uint64_t{1} << 32), (last_of_era + 2) * kSecondNs);
}

TEST(RtpClockTest, KnowsNothingBeforeTheFirstReport) {
  RtpClock clock;
  clock.Reset(90000);
  EXPECT_FALSE(clock.CaptureUnixNs(1234).has_value());
  clock.SetReport(0, 1234);
  EXPECT_FALSE(clock.CaptureUnixNs(1234).has_value()) << "NTP 0: the sender has no clock";
}

TEST(RtpClockTest, MapsPacketsBeforeAndAfterTheReport) {
  RtpClock clock;
  clock.Reset(90000);
  clock.CaptureUnixNs(900'000);
  clock.SetReport(Ntp(1000), 990'000);
  EXPECT_EQ(clock.CaptureUnixNs(990'000), 1000 * kSecondNs);
  EXPECT_EQ(clock.CaptureUnixNs(993'600), 1000 * kSecondNs + 40'000'000);
  EXPECT_EQ(clock.CaptureUnixNs(900'000), 999 * kSecondNs);
}

TEST(RtpClockTest, FollowsTimestampsAcrossTheWrap) {
  RtpClock clock;
  clock.Reset(90000);
  const std::uint32_t start = 0xffffffffU - 89'999;  // one second before the wrap
  clock.CaptureUnixNs(start);
  clock.SetReport(Ntp(1000), start);
  EXPECT_EQ(clock.CaptureUnixNs(start + 45'000), 1000 * kSecondNs + kSecondNs / 2);
  EXPECT_EQ(clock.CaptureUnixNs(0), 1001 * kSecondNs);
  EXPECT_EQ(clock.CaptureUnixNs(90'000), 1002 * kSecondNs);
}

TEST(RtpClockTest, StaysRightForDaysOnOneReport) {
  RtpClock clock;
  clock.Reset(90000);
  std::uint32_t rtp = 0;
  clock.SetReport(Ntp(1'700'000'000), rtp);
  const int hours = 72;
  for (int hour = 1; hour <= hours; ++hour) {
    rtp += 90'000U * 3600;
    clock.SetReport(Ntp(1'700'000'000), 0);  // asked again, still the same report
    clock.CaptureUnixNs(rtp);
  }
  EXPECT_EQ(clock.CaptureUnixNs(rtp), (1'700'000'000 + hours * 3600ULL) * kSecondNs);
}

TEST(RtpClockTest, ANewReportMovesTheClock) {
  RtpClock clock;
  clock.Reset(90000);
  clock.SetReport(Ntp(5), 0);  // the camera's clock stands in 1970...
  EXPECT_EQ(clock.CaptureUnixNs(90'000), 6 * kSecondNs);
  clock.SetReport(Ntp(1'700'000'000), 180'000);  // ...until it finds its time server
  EXPECT_EQ(clock.CaptureUnixNs(270'000), 1'700'000'001 * kSecondNs);
}

TEST(RtpClockTest, NeverGivesZero) {
  RtpClock clock;
  clock.Reset(90000);
  clock.SetReport(Ntp(1), 900'000);
  EXPECT_EQ(clock.CaptureUnixNs(0), 1U);
}

TEST(RtpClockTest, NeedsAClockRate) {
  RtpClock clock;
  clock.Reset(0);
  clock.SetReport(Ntp(1), 0);
  EXPECT_FALSE(clock.CaptureUnixNs(0).has_value());
}

}  // namespace
}  // namespace sightline
