#include "core/infer/object_memory.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sightline {
namespace {

TEST(BestLabel, IsTheMostLikelyAboveTheThreshold) {
  const float values[] = {0.2F, 0.5F, 0.3F};
  EXPECT_EQ(BestLabel(values, 3, 0.4F).value, 1);
  EXPECT_FLOAT_EQ(BestLabel(values, 3, 0.4F).confidence, 0.5F);
  EXPECT_EQ(BestLabel(values, 3, 0.5F).value, -1) << "more, not equal, as nvinfer";
  const float strange[] = {std::nanf(""), 0.1F, std::nanf("")};
  EXPECT_EQ(BestLabel(strange, 3, 0).value, 1);
  const float equal[] = {0.5F, 0.5F};
  EXPECT_EQ(BestLabel(equal, 2, 0).value, 0);
}

TEST(ObjectMemory, LooksAgainAfterMoreThanTheInterval) {
  ObjectMemory memory(10);
  EXPECT_EQ(memory.Recall(1, 100, 50), nullptr);
  memory.Remember(1, 100, 50, {2, 0.7F});
  for (std::uint64_t frame = 100; frame <= 110; ++frame) {
    const ClassLabel* label = memory.Recall(1, frame, 50);
    ASSERT_NE(label, nullptr) << frame;
    EXPECT_EQ(label->value, 2);
  }
  EXPECT_EQ(memory.Recall(1, 111, 50), nullptr);
  EXPECT_EQ(memory.Recall(2, 105, 50), nullptr) << "another object";
}

TEST(ObjectMemory, LooksAtEachFrameWithoutAnInterval) {
  ObjectMemory memory(0);
  memory.Remember(1, 5, 50, {0, 1});
  EXPECT_NE(memory.Recall(1, 5, 50), nullptr);
  EXPECT_EQ(memory.Recall(1, 6, 50), nullptr);
}

TEST(ObjectMemory, LooksAgainWhenTheObjectHasGrownByMoreThanAFifth) {
  ObjectMemory memory(2147483647);
  memory.Remember(1, 0, 100, {0, 1});
  EXPECT_NE(memory.Recall(1, 1000000, 120), nullptr);
  EXPECT_EQ(memory.Recall(1, 3, 120.5), nullptr);
  EXPECT_NE(memory.Recall(1, 4, 10), nullptr) << "a smaller one is known";
}

TEST(ObjectMemory, AnObjectWithoutALabelIsNotLookedAtOnEachFrame) {
  ObjectMemory memory(10);
  memory.Remember(1, 0, 100, ClassLabel{});
  ASSERT_NE(memory.Recall(1, 5, 100), nullptr);
  EXPECT_EQ(memory.Recall(1, 5, 100)->value, -1);
}

TEST(ObjectMemory, ForgetsWhatIsGoneAndKeepsWhatIsSeen) {
  ObjectMemory memory(2147483647);
  for (std::uint64_t id = 0; id < 1000; ++id) memory.Remember(id, 0, 100, {0, 1});
  memory.Recall(7, 100, 100);
  memory.Forget(150);
  EXPECT_EQ(memory.size(), 1000U);
  memory.Forget(151);
  EXPECT_EQ(memory.size(), 1U);
  EXPECT_NE(memory.Recall(7, 152, 100), nullptr);
}

}  // namespace
}  // namespace sightline
