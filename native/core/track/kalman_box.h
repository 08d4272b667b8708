#pragma once

#include "core/detection.h"

namespace sightline {

// One coordinate that moves with constant velocity: a two-state Kalman filter. Noise is given by
// its standard deviations per time step.
class KalmanAxis {
 public:
  void Start(float position, float position_std, float velocity_std);
  void Predict(float step, float position_std, float velocity_std);
  void Correct(float measured, float measured_std);
  void Stop() { velocity_ = 0; }

  float position() const { return position_; }
  float velocity() const { return velocity_; }
  // Variance of the position.
  float variance() const { return p00_; }

 private:
  float position_ = 0;
  float velocity_ = 0;
  float p00_ = 0, p01_ = 0, p11_ = 0;  // covariance, symmetric
};

// A box's centre and size, each with constant velocity. The usual filter of eight states (SORT and
// its successors) couples no coordinate with another, so four of two states give the same result
// without a matrix. Noise is proportional to the box, hence independent of resolution and distance.
class KalmanBox {
 public:
  void Start(const Detection& box);
  // Moves the box by `step` frame intervals, which may be a fraction or many.
  void Predict(float step);
  void Correct(const Detection& box);
  // An object that is out of sight keeps its size: the last change of it was its occlusion.
  void StopGrowth();
  // Left, top, width and height; the other fields are the caller's.
  Detection box() const;

 private:
  KalmanAxis x_, y_, width_, height_;
};

}  // namespace sightline
