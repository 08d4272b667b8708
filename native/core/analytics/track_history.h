#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/analytics/geometry.h"

namespace sightline {

// Where one tracked object was on its latest frames, and what follows from it. Arithmetic is
// nvdsanalytics' own, to the rounding: whole pixels, means cut to whole pixels, variances in single
// precision.
class TrackHistory {
 public:
  // The middle of an object's box and its size.
  struct Sample {
    Pixel middle;
    int width = 0;
    int height = 0;
    // Middle of the lower edge.
    Pixel Foot() const { return {middle.x, middle.y + height / 2}; }
  };

  // `length`: samples kept, from 1.
  explicit TrackHistory(int length) : samples_(static_cast<size_t>(length)) {}

  void Add(const Sample& sample);

  // Samples there have been, also those that are no longer kept.
  std::uint64_t count() const { return count_; }
  const Sample& last() const { return samples_[last_]; }
  // Mean over what is kept.
  float MeanHeight() const;
  // Where it was: the mean of the oldest kept samples, of two until the history is full and of four
  // from then on. From 4 samples on.
  Sample Before() const;
  // It has been here for more than the whole history: less than 20 pixels of deviation to the
  // sides, and hardly any up and down (a hundredth of its height as variance).
  bool HasStopped() const;

 private:
  const Sample& Oldest(size_t index) const;

  std::vector<Sample> samples_;  // a ring
  size_t last_ = 0;
  size_t next_ = 0;
  std::uint64_t count_ = 0;
  // Sums over what is kept.
  std::int64_t x_ = 0, y_ = 0, height_ = 0, x_squared_ = 0, y_squared_ = 0;
};

}  // namespace sightline
