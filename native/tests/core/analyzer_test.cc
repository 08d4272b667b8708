#include "core/analytics/analyzer.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

constexpr std::uint64_t kFrameNs = 40'000'000;

// A stream with a zone over the left half, and a line across the middle that counts downwards.
AnalyticsRules Rules() {
  AnalyticsRules rules;
  rules.width = 100;
  rules.height = 100;
  ZoneRule zone;
  zone.id = "left";
  zone.polygon = {{0, 0}, {50, 0}, {50, 100}, {0, 100}};
  LineRule line;
  line.id = "down";
  line.line[0] = {0, 50};
  line.line[1] = {100, 50};
  line.direction[0] = {50, 0};
  line.direction[1] = {50, 100};
  rules.streams[0].zones = {zone};
  rules.streams[0].lines = {line};
  return rules;
}

AnalyzedObject Object(std::uint64_t id, float foot_x, float foot_y, float height = 100) {
  return {{foot_x - 20, foot_y - height, 40, height}, 0, true, id};
}

TEST(Analyzer, KnowsNoTrackOfAnUntrackedObject) {
  Analyzer analyzer(Rules(), 0, 1920, 1080);
  for (int frame = 0; frame < 20; ++frame) {
    AnalyzedObject moving = Object(0, 500, 300 + 30.0F * frame, 100);
    AnalyzedObject low = Object(0, 500, 1000, 20);
    moving.tracked = low.tracked = false;
    analyzer.Process({moving, low}, frame * kFrameNs);
    EXPECT_EQ(analyzer.frame().zones[0].objects, 2U) << "each is measured at its own height";
    EXPECT_EQ(analyzer.frame().lines[0].crossings_total, 0U);
  }
  EXPECT_EQ(analyzer.tracks(), 0U);
}

TEST(Analyzer, ForgetsWhatItHasNotSeen) {
  Analyzer analyzer(Rules(), 0, 1920, 1080);
  std::uint64_t now = 0;
  for (std::uint64_t id = 1; id <= 10'000; ++id, now += kFrameNs) {
    analyzer.Process({Object(id, 500, 500)}, now);
    ASSERT_LE(analyzer.tracks(), 202U) << "8 s at 25 frames a second";
  }
  analyzer.Process({}, now + 9'000'000'000);
  EXPECT_EQ(analyzer.tracks(), 0U);
}

TEST(Analyzer, TakesTimeThatGoesBack) {
  Analyzer analyzer(Rules(), 0, 1920, 1080);
  analyzer.Process({Object(1, 500, 500)}, 3'600'000'000'000);
  analyzer.Process({Object(1, 500, 500)}, 0);
  EXPECT_EQ(analyzer.tracks(), 1U);
}

TEST(Analyzer, HasNothingToSayOfAStreamWithoutRules) {
  Analyzer analyzer(Rules(), 7, 1920, 1080);
  analyzer.Process({Object(1, 500, 500)}, 0);
  EXPECT_TRUE(analyzer.frame().zones.empty());
  EXPECT_TRUE(analyzer.frame().lines.empty());
  ASSERT_EQ(analyzer.objects().size(), 1U);
  EXPECT_TRUE(analyzer.objects()[0].zones.empty());
}

TEST(Analyzer, CountsAcrossFrames) {
  Analyzer analyzer(Rules(), 0, 1920, 1080);
  for (int frame = 0; frame < 20; ++frame) {
    std::vector<AnalyzedObject> objects;
    for (std::uint64_t id = 1; id <= 3; ++id) {
      objects.push_back(Object(id, 300.0F * id, 440 + 10.0F * frame));
    }
    analyzer.Process(objects, frame * kFrameNs);
    EXPECT_EQ(analyzer.frame().lines[0].crossings, frame == 10 ? 3U : 0U) << frame;
  }
  EXPECT_EQ(analyzer.frame().lines[0].crossings_total, 3U);
  EXPECT_EQ(analyzer.crossings(), 3U);
}

}  // namespace
}  // namespace sightline
