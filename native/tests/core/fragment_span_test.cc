#include "core/record/fragment_span.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(FragmentSpanTest, EndsWithItsTimeAndBeforeAKeyFrameThatIsNotEarly) {
  FragmentSpan span(100, 25);
  EXPECT_FALSE(span.EndsBefore(0, true)) << "nothing is in it";
  span.Add(0);
  EXPECT_FALSE(span.EndsBefore(24, true));
  EXPECT_TRUE(span.EndsBefore(25, true));
  EXPECT_FALSE(span.EndsBefore(99, false));
  EXPECT_TRUE(span.EndsBefore(100, false));
  span.Clear();
  EXPECT_FALSE(span.EndsBefore(200, false));
}

TEST(FragmentSpanTest, NeverEndsBeforeAPictureThatIsShownEarlierOrWhileTimeStandsStill) {
  FragmentSpan span(100, 0);
  span.Add(50);
  span.Add(200);
  span.Add(0);
  EXPECT_FALSE(span.EndsBefore(150, false));
  EXPECT_FALSE(span.EndsBefore(200, true));
  EXPECT_TRUE(span.EndsBefore(201, false));
}

}  // namespace
}  // namespace sightline
