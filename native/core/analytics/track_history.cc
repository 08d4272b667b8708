#include "core/analytics/track_history.h"

#include <algorithm>

namespace sightline {
namespace {

constexpr float kStillX = 400;       // pixels^2
constexpr float kStillY = 0.01F;     // pixels^2 a pixel of height
constexpr std::uint64_t kFirst = 2;  // samples of the place before, while the history fills
constexpr std::uint64_t kFull = 4;   // and once it is full

std::int64_t Square(std::int64_t value) { return value * value; }

}  // namespace

void TrackHistory::Add(const Sample& sample) {
  Sample& slot = samples_[next_];
  if (count_ >= samples_.size()) {
    x_ -= slot.middle.x;
    y_ -= slot.middle.y;
    height_ -= slot.height;
    x_squared_ -= Square(slot.middle.x);
    y_squared_ -= Square(slot.middle.y);
  }
  slot = sample;
  x_ += sample.middle.x;
  y_ += sample.middle.y;
  height_ += sample.height;
  x_squared_ += Square(sample.middle.x);
  y_squared_ += Square(sample.middle.y);
  last_ = next_;
  next_ = (next_ + 1) % samples_.size();
  ++count_;
}

float TrackHistory::MeanHeight() const {
  const auto kept = std::min<std::uint64_t>(count_, samples_.size());
  return static_cast<float>(height_) / static_cast<float>(kept);
}

const TrackHistory::Sample& TrackHistory::Oldest(size_t index) const {
  const bool full = count_ >= samples_.size();
  return samples_[full ? (next_ + index) % samples_.size() : index];
}

TrackHistory::Sample TrackHistory::Before() const {
  const std::uint64_t used = count_ < samples_.size() ? kFirst : kFull;
  Sample sum;
  for (size_t i = 0; i < used; ++i) {
    const Sample& sample = Oldest(i);
    sum.middle.x += sample.middle.x;
    sum.middle.y += sample.middle.y;
    sum.width += sample.width;
    sum.height += sample.height;
  }
  const int n = static_cast<int>(used);
  return {{sum.middle.x / n, sum.middle.y / n}, sum.width / n, sum.height / n};
}

bool TrackHistory::HasStopped() const {
  if (count_ <= samples_.size()) return false;
  const auto kept = static_cast<float>(samples_.size());
  const auto variance = [kept](std::int64_t sum, std::int64_t sum_of_squares) {
    const float mean = static_cast<float>(sum) / kept;
    return static_cast<float>(sum_of_squares) / kept - mean * mean;
  };
  return variance(x_, x_squared_) <= kStillX && variance(y_, y_squared_) / MeanHeight() <= kStillY;
}

}  // namespace sightline
