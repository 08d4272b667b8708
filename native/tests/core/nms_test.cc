#include "core/parsers/nms.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(Overlap, IsSharedAreaOverJoinedArea) {
  const Detection a{0, 0, 10, 10, 1, 0};
  EXPECT_FLOAT_EQ(Overlap(a, a), 1);
  EXPECT_FLOAT_EQ(Overlap(a, {5, 0, 10, 10, 1, 0}), 50.0f / 150.0f);
  EXPECT_FLOAT_EQ(Overlap(a, {2, 2, 5, 4, 1, 0}), 0.2f);
  EXPECT_FLOAT_EQ(Overlap(a, {10, 0, 10, 10, 1, 0}), 0);
  EXPECT_FLOAT_EQ(Overlap(a, {30, 30, 1, 1, 1, 0}), 0);
}

TEST(SuppressOverlaps, KeepsTheBestOfEachClass) {
  std::vector<Detection> boxes = {
      {0, 0, 10, 10, 0.6f, 0},  // covered by the next
      {1, 0, 10, 10, 0.9f, 0},  //
      {1, 0, 10, 10, 0.5f, 1},  // another class
      {40, 0, 10, 10, 0.7f, 0},
  };
  SuppressOverlaps(boxes, {0.5f, 0.5f});
  ASSERT_EQ(boxes.size(), 3u);
  EXPECT_FLOAT_EQ(boxes[0].confidence, 0.9f);
  EXPECT_FLOAT_EQ(boxes[1].confidence, 0.7f);
  EXPECT_FLOAT_EQ(boxes[2].confidence, 0.5f);
}

TEST(SuppressOverlaps, RemovesOnlyBeyondTheClassLimit) {
  const std::vector<Detection> pair = {{0, 0, 10, 10, 0.9f, 1}, {5, 0, 10, 10, 0.8f, 1}};
  std::vector<Detection> boxes = pair;
  SuppressOverlaps(boxes, {0.0f, Overlap(pair[0], pair[1])});
  EXPECT_EQ(boxes.size(), 2u);
  boxes = pair;
  SuppressOverlaps(boxes, {0.0f, 0.33f});
  EXPECT_EQ(boxes.size(), 1u);
}

TEST(SuppressOverlaps, LetsAWeakBoxLiveWhenItsBetterWasRemoved) {
  // The second covers the third, but is itself removed by the first.
  std::vector<Detection> boxes = {
      {0, 0, 10, 10, 0.9f, 0}, {4, 0, 10, 10, 0.8f, 0}, {8, 0, 10, 10, 0.7f, 0}};
  SuppressOverlaps(boxes, {0.3f});
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_FLOAT_EQ(boxes[1].left, 8);
}

TEST(SortByConfidence, IsTheSameForAnyOrderOfArrival) {
  std::vector<Detection> boxes = {
      {5, 1, 1, 1, 0.5f, 1}, {4, 1, 1, 1, 0.5f, 1}, {9, 9, 1, 1, 0.5f, 0}, {0, 0, 1, 1, 0.9f, 7}};
  SortByConfidence(boxes);
  EXPECT_EQ(boxes[0].class_id, 7);
  EXPECT_EQ(boxes[1].class_id, 0);
  EXPECT_FLOAT_EQ(boxes[2].left, 4);
  EXPECT_FLOAT_EQ(boxes[3].left, 5);
}

}  // namespace
}  // namespace sightline
