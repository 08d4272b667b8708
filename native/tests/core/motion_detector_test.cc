#include "core/motion/motion_detector.h"

#include <gtest/gtest.h>

#include <vector>

namespace sightline {
namespace {

constexpr int kWidth = 640, kHeight = 360;
constexpr float kThreshold = 12;

class MotionDetectorTest : public testing::Test {
 protected:
  float Look() { return detector_.Look(picture_.data(), kWidth, kHeight, kWidth, kThreshold); }
  void Fill(int left, int top, int width, int height, std::uint8_t value) {
    for (int y = top; y < top + height; ++y) {
      for (int x = left; x < left + width; ++x) {
        picture_[static_cast<std::size_t>(y) * kWidth + static_cast<std::size_t>(x)] = value;
      }
    }
  }

  MotionDetector detector_;
  std::vector<std::uint8_t> picture_ = std::vector<std::uint8_t>(kWidth * kHeight, 100);
};

TEST_F(MotionDetectorTest, APictureThatStaysHasNone) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Look(), 0);
}

TEST_F(MotionDetectorTest, CountsTheCellsThatChange) {
  Look();
  // Two columns and three rows of cells of 10 by 10 pixels.
  Fill(100, 100, 20, 30, 200);
  EXPECT_FLOAT_EQ(Look(), 6.0F / (64 * 36));
}

TEST_F(MotionDetectorTest, ForgetsWhatStays) {
  Look();
  Fill(100, 100, 100, 100, 200);
  EXPECT_GT(Look(), 0);
  for (int i = 0; i < 60; ++i) Look();
  EXPECT_EQ(Look(), 0) << "a light that was switched on is no motion for ever";
  Fill(100, 100, 100, 100, 100);
  EXPECT_GT(Look(), 0) << "that it is switched off is";
}

TEST_F(MotionDetectorTest, ALightThatChangesForAllIsNoMotion) {
  Look();
  Fill(0, 0, kWidth, kHeight, 140);
  EXPECT_EQ(Look(), 0);
}

TEST_F(MotionDetectorTest, LooksAnewAfterAReset) {
  Look();
  Fill(0, 0, 320, kHeight, 200);
  detector_.Reset();
  EXPECT_EQ(Look(), 0);
}

}  // namespace
}  // namespace sightline
