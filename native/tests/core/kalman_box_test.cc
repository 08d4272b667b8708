#include "core/track/kalman_box.h"

#include <gtest/gtest.h>

#include <random>

namespace sightline {
namespace {

Detection Box(float left, float top, float width, float height) {
  Detection box;
  box.left = left;
  box.top = top;
  box.width = width;
  box.height = height;
  return box;
}

TEST(KalmanAxisTest, FollowsTheTextbookStepByStep) {
  // x = 10, v = 0, P = diag(4, 1); then dt = 1, Q = diag(1, 0.25); measured 13 with variance 1.
  KalmanAxis axis;
  axis.Start(10, 2, 1);
  axis.Predict(1, 1, 0.5F);
  EXPECT_FLOAT_EQ(axis.position(), 10);
  EXPECT_FLOAT_EQ(axis.variance(), 6);  // 4 + 1 + 1
  axis.Correct(13, 1);
  // Gains: 6/7 and p01/7 with p01 = 1.
  EXPECT_FLOAT_EQ(axis.position(), 10 + 3 * 6.0F / 7);
  EXPECT_FLOAT_EQ(axis.velocity(), 3.0F / 7);
  EXPECT_NEAR(axis.variance(), 6.0F / 7, 1e-6);
}

TEST(KalmanBoxTest, LearnsAConstantVelocity) {
  KalmanBox filter;
  filter.Start(Box(100, 50, 40, 80));
  for (int frame = 1; frame <= 40; ++frame) {
    filter.Predict(1);
    filter.Correct(Box(100 + 3.0F * frame, 50 + 1.0F * frame, 40, 80));
  }
  filter.Predict(10);  // ten frames unseen
  EXPECT_NEAR(filter.box().left, 250, 1);
  EXPECT_NEAR(filter.box().top, 100, 1);
  EXPECT_NEAR(filter.box().width, 40, 0.1);
  EXPECT_NEAR(filter.box().height, 80, 0.1);
}

TEST(KalmanBoxTest, OneLongStepEqualsManyShortOnesInPlace) {
  KalmanBox one, many;
  for (KalmanBox* filter : {&one, &many}) {
    filter->Start(Box(0, 0, 40, 80));
    for (int frame = 1; frame <= 10; ++frame) {
      filter->Predict(1);
      filter->Correct(Box(2.0F * frame, 0, 40, 80));
    }
  }
  one.Predict(6);
  for (int i = 0; i < 6; ++i) many.Predict(1);
  EXPECT_NEAR(one.box().left, many.box().left, 1e-3);
}

TEST(KalmanBoxTest, SmoothsNoise) {
  std::mt19937 random(3);
  std::normal_distribution<float> noise(0, 2);
  KalmanBox filter;
  filter.Start(Box(0, 0, 40, 80));
  double raw_error = 0, filtered_error = 0;
  for (int frame = 1; frame <= 400; ++frame) {
    const float truth = 2.0F * frame;
    const float measured = truth + noise(random);
    filter.Predict(1);
    filter.Correct(Box(measured, 0, 40, 80));
    if (frame < 50) continue;
    raw_error += (measured - truth) * (measured - truth);
    filtered_error += (filter.box().left - truth) * (filter.box().left - truth);
  }
  EXPECT_LT(filtered_error, raw_error);
}

TEST(KalmanBoxTest, NeverGivesABoxWithoutArea) {
  KalmanBox filter;
  filter.Start(Box(0, 0, 10, 10));
  for (int size = 9; size > 0; --size) {
    filter.Predict(1);
    filter.Correct(Box(0, 0, static_cast<float>(size), static_cast<float>(size)));
  }
  filter.Predict(100);
  EXPECT_GE(filter.box().width, 1);
  EXPECT_GE(filter.box().height, 1);
}

}  // namespace
}  // namespace sightline
