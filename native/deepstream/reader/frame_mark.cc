#include "deepstream/reader/frame_mark.h"

namespace sightline {
namespace {

constexpr std::uint64_t kMagic = 0x534C4D41524B0000;  // "SLMARK"
constexpr std::uint64_t kMagicBits = 0xFFFFFFFFFFFF0000;
constexpr std::uint64_t kImage = 1;
constexpr unsigned kClockShift = 8;

std::uint64_t Word(const nvds::NvDsFrameMeta& frame, int index) {
  return static_cast<std::uint64_t>(frame.misc_frame_info[index]);
}

}  // namespace

void WriteFrameMark(const FrameMark& mark, nvds::NvDsFrameMeta* frame) {
  const std::uint64_t head = kMagic |
                             static_cast<std::uint64_t>(mark.capture_clock) << kClockShift |
                             (mark.image ? kImage : 0);
  frame->misc_frame_info[0] = static_cast<gint64>(head);
  frame->misc_frame_info[1] = static_cast<gint64>(mark.sequence);
  frame->misc_frame_info[2] = static_cast<gint64>(mark.capture_unix_ns);
  frame->misc_frame_info[3] = static_cast<gint64>(head ^ mark.sequence ^ mark.capture_unix_ns);
}

std::optional<FrameMark> ReadFrameMark(const nvds::NvDsFrameMeta& frame) {
  const std::uint64_t head = Word(frame, 0);
  if ((head & kMagicBits) != kMagic) return std::nullopt;
  if ((head ^ Word(frame, 1) ^ Word(frame, 2)) != Word(frame, 3)) return std::nullopt;
  FrameMark mark;
  mark.sequence = Word(frame, 1);
  mark.capture_unix_ns = Word(frame, 2);
  mark.capture_clock = static_cast<CaptureClock>(head >> kClockShift & 0xFF);
  mark.image = (head & kImage) != 0;
  return mark;
}

}  // namespace sightline
