#include "core/motion/motion_detector.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

// Of a picture in the mean: after 16 pictures a third of what was before is left.
constexpr float kNew = 1.0F / 16;
constexpr int kStep = 4;

float MeanOfCell(const std::uint8_t* luma, std::ptrdiff_t row_bytes, int left, int top, int right,
                 int bottom) {
  std::uint32_t sum = 0, count = 0;
  for (int y = top; y < bottom; y += kStep) {
    const std::uint8_t* row = luma + y * row_bytes;
    for (int x = left; x < right; x += kStep) {
      sum += row[x];
      ++count;
    }
  }
  return count == 0 ? 0 : static_cast<float>(sum) / static_cast<float>(count);
}

}  // namespace

void MotionDetector::Reset() { seen_ = false; }

float MotionDetector::Look(const std::uint8_t* luma, int width, int height,
                           std::ptrdiff_t row_bytes, float threshold) {
  for (int row = 0; row < kRows; ++row) {
    for (int column = 0; column < kColumns; ++column) {
      now_[static_cast<std::size_t>(row) * kColumns + column] =
          MeanOfCell(luma, row_bytes, column * width / kColumns, row * height / kRows,
                     (column + 1) * width / kColumns, (row + 1) * height / kRows);
    }
  }
  if (!seen_) {
    lately_ = now_;
    seen_ = true;
    return 0;
  }
  float common = 0;
  for (std::size_t i = 0; i < now_.size(); ++i) common += now_[i] - lately_[i];
  common /= static_cast<float>(now_.size());
  std::size_t changed = 0;
  for (std::size_t i = 0; i < now_.size(); ++i) {
    const float difference = now_[i] - lately_[i];
    // A small thing does not make the rest of the picture move.
    const float own = std::min(std::fabs(difference), std::fabs(difference - common));
    if (own >= threshold) ++changed;
    lately_[i] += difference * kNew;
  }
  return static_cast<float>(changed) / static_cast<float>(now_.size());
}

}  // namespace sightline
