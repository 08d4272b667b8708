#include "core/track/kalman_box.h"

#include <algorithm>

namespace sightline {
namespace {

// Standard deviations as parts of the box's size, as in SORT's successors.
constexpr float kPositionNoise = 1.0F / 20;
constexpr float kVelocityNoise = 1.0F / 160;
// A new track's velocity is unknown: this much of its size per frame.
constexpr float kStartVelocityNoise = 1.0F / 16;
constexpr float kSmallestSize = 1;  // pixels

float Square(float value) { return value * value; }

}  // namespace

void KalmanAxis::Start(float position, float position_std, float velocity_std) {
  position_ = position;
  velocity_ = 0;
  p00_ = Square(position_std);
  p01_ = 0;
  p11_ = Square(velocity_std);
}

void KalmanAxis::Predict(float step, float position_std, float velocity_std) {
  position_ += velocity_ * step;
  p00_ += 2 * step * p01_ + step * step * p11_ + Square(position_std) * step;
  p01_ += step * p11_;
  p11_ += Square(velocity_std) * step;
}

void KalmanAxis::Correct(float measured, float measured_std) {
  const float innovation = measured - position_;
  const float total = p00_ + Square(measured_std);
  const float position_gain = p00_ / total;
  const float velocity_gain = p01_ / total;
  position_ += position_gain * innovation;
  velocity_ += velocity_gain * innovation;
  p11_ -= velocity_gain * p01_;
  p01_ -= position_gain * p01_;
  p00_ -= position_gain * p00_;
}

void KalmanBox::Start(const Detection& box) {
  const float w = std::max(box.width, kSmallestSize);
  const float h = std::max(box.height, kSmallestSize);
  x_.Start(box.left + box.width / 2, 2 * kPositionNoise * w, kStartVelocityNoise * w);
  y_.Start(box.top + box.height / 2, 2 * kPositionNoise * h, kStartVelocityNoise * h);
  width_.Start(box.width, 2 * kPositionNoise * w, kStartVelocityNoise * w);
  height_.Start(box.height, 2 * kPositionNoise * h, kStartVelocityNoise * h);
}

void KalmanBox::Predict(float step) {
  const float w = std::max(width_.position(), kSmallestSize);
  const float h = std::max(height_.position(), kSmallestSize);
  x_.Predict(step, kPositionNoise * w, kVelocityNoise * w);
  y_.Predict(step, kPositionNoise * h, kVelocityNoise * h);
  width_.Predict(step, kPositionNoise * w, kVelocityNoise * w);
  height_.Predict(step, kPositionNoise * h, kVelocityNoise * h);
}

void KalmanBox::Correct(const Detection& box) {
  const float w = std::max(width_.position(), kSmallestSize);
  const float h = std::max(height_.position(), kSmallestSize);
  x_.Correct(box.left + box.width / 2, kPositionNoise * w);
  y_.Correct(box.top + box.height / 2, kPositionNoise * h);
  width_.Correct(box.width, kPositionNoise * w);
  height_.Correct(box.height, kPositionNoise * h);
}

void KalmanBox::StopGrowth() {
  width_.Stop();
  height_.Stop();
}

Detection KalmanBox::box() const {
  Detection box;
  box.width = std::max(width_.position(), kSmallestSize);
  box.height = std::max(height_.position(), kSmallestSize);
  box.left = x_.position() - box.width / 2;
  box.top = y_.position() - box.height / 2;
  return box;
}

}  // namespace sightline
