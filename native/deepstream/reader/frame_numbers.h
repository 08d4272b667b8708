#pragma once

#include <cstdint>

namespace sightline {

// Numbers the frames of one pad without a break or a repetition, whatever the muxer's counter does:
// it starts over when the source is reset, and then the numbers go on where they were.
class FrameNumbers {
 public:
  // The number of the pad's next frame.
  std::uint64_t Number(std::int32_t frame_num) {
    if (started_ && frame_num <= last_) base_ = static_cast<std::int64_t>(next_) - frame_num;
    if (!started_ && frame_num < 0) base_ = -static_cast<std::int64_t>(frame_num);
    return Take(frame_num, ToSequence(frame_num));
  }
  // Takes over the number that was given to the frame elsewhere.
  void Follow(std::int32_t frame_num, std::uint64_t sequence) {
    base_ = static_cast<std::int64_t>(sequence) - frame_num;
    Take(frame_num, sequence);
  }
  // The number of another frame of the same run of the counter; 0 for one before the first.
  std::uint64_t ToSequence(std::int64_t frame_num) const {
    const std::int64_t sequence = base_ + frame_num;
    return sequence < 0 ? 0 : static_cast<std::uint64_t>(sequence);
  }

 private:
  std::uint64_t Take(std::int32_t frame_num, std::uint64_t sequence) {
    started_ = true;
    last_ = frame_num;
    next_ = sequence + 1;
    return sequence;
  }

  bool started_ = false;
  std::int32_t last_ = 0;
  std::uint64_t next_ = 0;
  std::int64_t base_ = 0;
};

// Frames that are missing between two numbers that were seen.
class FrameGaps {
 public:
  // How many are missing before this one.
  std::uint64_t Before(std::uint64_t sequence) {
    const std::uint64_t gap = sequence > expected_ ? sequence - expected_ : 0;
    expected_ = sequence + 1;
    return gap;
  }

 private:
  std::uint64_t expected_ = 0;
};

}  // namespace sightline
