#include <gtest/gtest.h>

#include <climits>

#include "deepstream/reader/capture_time.h"
#include "deepstream/reader/frame_mark.h"
#include "deepstream/reader/frame_numbers.h"

namespace sightline {
namespace {

TEST(FrameNumbersTest, FollowTheMuxersCounter) {
  FrameNumbers numbers;
  EXPECT_EQ(numbers.Number(0), 0U);
  EXPECT_EQ(numbers.Number(1), 1U);
  EXPECT_EQ(numbers.Number(5), 5U);
  EXPECT_EQ(numbers.ToSequence(3), 3U);
}

TEST(FrameNumbersTest, GoOnWhenTheSourceIsReset) {
  FrameNumbers numbers;
  numbers.Number(0);
  numbers.Number(99);
  EXPECT_EQ(numbers.Number(0), 100U);
  EXPECT_EQ(numbers.Number(2), 102U);
  EXPECT_EQ(numbers.ToSequence(1), 101U);
  EXPECT_EQ(numbers.Number(2), 103U) << "the same number again is another frame";
  EXPECT_EQ(numbers.Number(0), 104U);
}

TEST(FrameNumbersTest, GoOnWhenTheCounterOverflows) {
  FrameNumbers numbers;
  EXPECT_EQ(numbers.Number(INT_MAX), static_cast<std::uint64_t>(INT_MAX));
  EXPECT_EQ(numbers.Number(INT_MIN), static_cast<std::uint64_t>(INT_MAX) + 1);
  EXPECT_EQ(numbers.Number(INT_MIN + 1), static_cast<std::uint64_t>(INT_MAX) + 2);
  FrameNumbers negative;
  EXPECT_EQ(negative.Number(-7), 0U);
  EXPECT_EQ(negative.Number(-6), 1U);
}

TEST(FrameNumbersTest, TakeOverNumbersGivenElsewhere) {
  FrameNumbers numbers;
  numbers.Number(4);
  numbers.Follow(0, 500);
  EXPECT_EQ(numbers.ToSequence(2), 502U);
  EXPECT_EQ(numbers.Number(1), 501U);
}

TEST(FrameGapsTest, CountWhatIsMissing) {
  FrameGaps gaps;
  EXPECT_EQ(gaps.Before(2), 2U) << "the session's first frames never came";
  EXPECT_EQ(gaps.Before(3), 0U);
  EXPECT_EQ(gaps.Before(7), 3U);
}

nvds::NvDsFrameMeta Frame(std::uint64_t pts, std::uint64_t ntp) {
  nvds::NvDsFrameMeta frame{};
  frame.buf_pts = pts;
  frame.ntp_timestamp = ntp;
  return frame;
}

TEST(CaptureTimesTest, TellsTheMuxersTimeAndWhoseItIs) {
  CaptureTimes times;
  auto moment = times.Of(Frame(1, 777), CaptureClock::kRtcpSenderReport, true, 1000);
  EXPECT_EQ(moment.unix_ns, 777U);
  EXPECT_EQ(moment.clock, CaptureClock::kRtcpSenderReport);
  moment = times.Of(Frame(1, 778), CaptureClock::kArrival, true, 1000);
  EXPECT_EQ(moment.clock, CaptureClock::kArrival);
}

TEST(CaptureTimesTest, BeforeTheFirstReportAFrameWasCapturedNow) {
  CaptureTimes times;
  const auto moment = times.Of(Frame(1, 0), CaptureClock::kRtcpSenderReport, true, 1000);
  EXPECT_EQ(moment.unix_ns, 1000U);
  EXPECT_EQ(moment.clock, CaptureClock::kArrival);
}

TEST(CaptureTimesTest, ARecordingHasMediaTime) {
  CaptureTimes times;
  auto moment = times.Of(Frame(50, 9), CaptureClock::kArrival, false, 1000);
  EXPECT_EQ(moment.unix_ns, 1000U);
  EXPECT_EQ(moment.clock, CaptureClock::kMedia);
  EXPECT_EQ(times.Of(Frame(90, 0), CaptureClock::kArrival, false, 5000).unix_ns, 1040U);
  EXPECT_EQ(times.Of(Frame(30, 0), CaptureClock::kArrival, false, 5001).unix_ns, 980U);
  moment = times.Of(Frame(UINT64_MAX, 0), CaptureClock::kArrival, false, 6000);
  EXPECT_EQ(moment.unix_ns, 6000U);
  EXPECT_EQ(moment.clock, CaptureClock::kArrival);
}

TEST(FrameMarkTest, ComesBackAsItWasWritten) {
  nvds::NvDsFrameMeta frame{};
  EXPECT_FALSE(ReadFrameMark(frame));
  FrameMark mark;
  mark.sequence = UINT64_MAX;
  mark.capture_unix_ns = 1'700'000'000'123'456'789;
  mark.capture_clock = CaptureClock::kMedia;
  mark.image = true;
  WriteFrameMark(mark, &frame);
  const nvds::NvDsFrameMeta copy = frame;  // as nvstreamdemux copies it
  const auto read = ReadFrameMark(copy);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->sequence, mark.sequence);
  EXPECT_EQ(read->capture_unix_ns, mark.capture_unix_ns);
  EXPECT_EQ(read->capture_clock, CaptureClock::kMedia);
  EXPECT_TRUE(read->image);
  mark.image = false;
  WriteFrameMark(mark, &frame);
  EXPECT_FALSE(ReadFrameMark(frame)->image);
}

TEST(FrameMarkTest, WhatOthersWriteIsNoMark) {
  for (int field = 0; field < 4; ++field) {
    nvds::NvDsFrameMeta frame{};
    WriteFrameMark({}, &frame);
    frame.misc_frame_info[field] ^= 1LL << 17;
    EXPECT_FALSE(ReadFrameMark(frame)) << field;
  }
}

}  // namespace
}  // namespace sightline
