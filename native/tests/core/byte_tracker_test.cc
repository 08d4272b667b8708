#include "core/track/byte_tracker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>
#include <set>

namespace sightline {
namespace {

Detection Box(float left, float top, float score = 0.9F, int class_id = 0) {
  Detection box;
  box.left = left;
  box.top = top;
  box.width = 40;
  box.height = 80;
  box.confidence = score;
  box.class_id = class_id;
  return box;
}

// The id of the track nearest to a true place, or 0 when none is within half a box.
std::uint64_t IdAt(const std::vector<Track>& tracks, const Detection& truth) {
  std::uint64_t id = 0;
  float nearest = 20;
  for (const Track& track : tracks) {
    const float distance =
        std::hypot(track.detection.left - truth.left, track.detection.top - truth.top);
    if (distance >= nearest) continue;
    nearest = distance;
    id = track.id;
  }
  return id;
}

TEST(ByteTrackerTest, ConfirmsATrackAfterItsHitsAndCountsFromOne) {
  TrackerOptions options;
  options.min_hits = 3;
  ByteTracker tracker(options);
  EXPECT_TRUE(tracker.Update({Box(0, 0)}).empty());
  EXPECT_TRUE(tracker.Update({Box(1, 0)}).empty());
  const auto& tracks = tracker.Update({Box(2, 0, 0.8F, 7)});
  EXPECT_TRUE(tracks.empty()) << "another class is another object";
  tracker.Update({Box(2, 0)});
  tracker.Update({Box(3, 0)});
  const auto& confirmed = tracker.Update({Box(4, 0, 0.7F)});
  ASSERT_EQ(confirmed.size(), 1U);
  EXPECT_EQ(confirmed[0].id, 1U);
  EXPECT_EQ(confirmed[0].frames_since_detection, 0U);
  EXPECT_FLOAT_EQ(confirmed[0].detection.confidence, 0.7F);
}

TEST(ByteTrackerTest, AFalseAlarmUsesNoId) {
  ByteTracker tracker;
  tracker.Update({Box(0, 0)});
  tracker.Update({});
  tracker.Update({Box(300, 0)});
  const auto& tracks = tracker.Update({Box(301, 0)});
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].id, 1U);
}

TEST(ByteTrackerTest, ADoubtfulDetectionStartsNothing) {
  ByteTracker tracker;
  for (int frame = 0; frame < 10; ++frame) {
    EXPECT_TRUE(tracker.Update({Box(0, 0, 0.3F), Box(200, 0, 0.45F)}).empty());
  }
}

// Two walkers in opposite directions whose boxes overlap almost entirely half-way.
TEST(ByteTrackerTest, CrossingObjectsKeepTheirIds) {
  ByteTracker tracker;
  std::uint64_t right_going = 0, left_going = 0;
  for (int frame = 0; frame < 120; ++frame) {
    const Detection a = Box(5.0F * frame, 100);
    const Detection b = Box(600 - 5.0F * frame, 104);
    const auto& tracks = tracker.Update({b, a});
    if (frame < 5) continue;
    if (right_going == 0) {
      right_going = IdAt(tracks, a);
      left_going = IdAt(tracks, b);
    }
    ASSERT_EQ(tracks.size(), 2U) << "frame " << frame;
  }
  const auto& tracks = tracker.Update({Box(600, 100), Box(0, 104)});
  ASSERT_NE(right_going, left_going);
  EXPECT_EQ(IdAt(tracks, Box(600, 100)), right_going);
  EXPECT_EQ(IdAt(tracks, Box(0, 104)), left_going);
}

// As above, but the detector sees one box while they overlap by more than half.
TEST(ByteTrackerTest, CrossingObjectsThatMergeForAWhileKeepTheirIds) {
  ByteTracker tracker;
  std::uint64_t right_going = 0, left_going = 0;
  for (int frame = 0; frame <= 120; ++frame) {
    const Detection a = Box(5.0F * frame, 100);
    const Detection b = Box(600 - 5.0F * frame, 104);
    Detections seen = {a};
    if (std::abs(a.left - b.left) > 20) seen.push_back(b);
    const auto& tracks = tracker.Update(seen);
    if (frame == 5) {
      right_going = IdAt(tracks, a);
      left_going = IdAt(tracks, b);
    }
    if (frame != 120) continue;
    EXPECT_EQ(tracks.size(), 2U);
    EXPECT_EQ(IdAt(tracks, a), right_going);
    EXPECT_EQ(IdAt(tracks, b), left_going);
  }
}

TEST(ByteTrackerTest, FindsAnOccludedObjectAgain) {
  for (const int hidden : {1, 5, 15, 29}) {
    ByteTracker tracker;
    int frame = 0;
    for (; frame < 20; ++frame) tracker.Update({Box(4.0F * frame, 50)});
    for (int i = 0; i < hidden; ++i, ++frame) {
      EXPECT_TRUE(tracker.Update({}).empty()) << "lost tracks are not put out";
    }
    const auto& tracks = tracker.Update({Box(4.0F * frame, 50)});
    ASSERT_EQ(tracks.size(), 1U) << "hidden for " << hidden;
    EXPECT_EQ(tracks[0].id, 1U) << "hidden for " << hidden;
    EXPECT_EQ(tracks[0].frames_since_detection, 0U);
  }
}

TEST(ByteTrackerTest, EndsATrackThatStaysAwayAndNeverGivesItsIdAgain) {
  ByteTracker tracker;
  std::set<std::uint64_t> ids;
  for (int round = 0; round < 20; ++round) {
    for (int frame = 0; frame < 5; ++frame) {
      for (const Track& track : tracker.Update({Box(50, 50)})) ids.insert(track.id);
    }
    if (round % 2 == 0) {
      for (int frame = 0; frame < 31; ++frame) tracker.Update({});
    } else {
      tracker.Reset();
    }
  }
  ASSERT_EQ(ids.size(), 20U);
  EXPECT_EQ(*ids.begin(), 1U);
  EXPECT_EQ(*ids.rbegin(), 20U);
}

TEST(ByteTrackerTest, KeepsATrackOnLowScores) {
  ByteTracker tracker;
  for (int frame = 0; frame < 60; ++frame) {
    const float score = frame < 5 || frame > 50 ? 0.9F : 0.15F;  // half hidden in between
    const auto& tracks = tracker.Update({Box(3.0F * frame, 50, score)});
    if (frame == 0) continue;
    ASSERT_EQ(tracks.size(), 1U) << "frame " << frame;
    EXPECT_EQ(tracks[0].id, 1U);
    EXPECT_FLOAT_EQ(tracks[0].detection.confidence, score);
  }
}

TEST(ByteTrackerTest, SurvivesMissedDetections) {
  std::mt19937 random(11);
  std::bernoulli_distribution missed(0.3);
  std::normal_distribution<float> noise(0, 1.5);
  ByteTracker tracker;
  std::set<std::uint64_t> ids;
  int reported = 0;
  for (int frame = 0; frame < 300; ++frame) {
    Detections seen;
    for (int object = 0; object < 3; ++object) {
      if (frame > 2 && missed(random)) continue;
      seen.push_back(Box(2.0F * frame + noise(random), 150.0F * object + noise(random)));
    }
    for (const Track& track : tracker.Update(seen)) {
      ids.insert(track.id);
      ++reported;
    }
  }
  EXPECT_EQ(ids, (std::set<std::uint64_t>{1, 2, 3}));
  EXPECT_GT(reported, 600);
}

TEST(ByteTrackerTest, PredictsOnFramesTheDetectorSkipped) {
  ByteTracker tracker;
  int frame = 0;
  for (; frame < 30; ++frame) tracker.Update({Box(4.0F * frame, 50)});
  for (int skipped = 1; skipped <= 4; ++skipped, ++frame) {
    const auto& tracks = tracker.Predict();
    ASSERT_EQ(tracks.size(), 1U);
    EXPECT_EQ(tracks[0].id, 1U);
    EXPECT_EQ(tracks[0].frames_since_detection, static_cast<std::uint32_t>(skipped));
    EXPECT_EQ(tracks[0].detection.confidence, 0);
    EXPECT_NEAR(tracks[0].detection.left, 4.0F * frame, 1.5);
  }
  const auto& tracks = tracker.Update({Box(4.0F * frame, 50)});
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].frames_since_detection, 0U);
}

TEST(ByteTrackerTest, KnowsHowMuchTimeDroppedFramesTook) {
  std::mt19937 random(5);
  std::uniform_int_distribution<int> step(1, 6);
  ByteTracker tracker;
  int frame = 0;
  for (; frame < 10; ++frame) tracker.Update({Box(6.0F * frame, 50)});
  for (int i = 0; i < 100; ++i) {
    const int frames = step(random);
    frame += frames;  // moves by up to 36 pixels, nearly its width
    const auto& tracks = tracker.Update({Box(6.0F * (frame - 1), 50)}, static_cast<float>(frames));
    ASSERT_EQ(tracks.size(), 1U) << "after a step of " << frames;
    ASSERT_EQ(tracks[0].id, 1U);
    EXPECT_NEAR(tracks[0].detection.left, 6.0F * (frame - 1), 2);
  }
}

TEST(ByteTrackerTest, CountsTheLossBufferInFramesNotInUpdates) {
  ByteTracker tracker;
  for (int frame = 0; frame < 5; ++frame) tracker.Update({Box(0, 0)});
  tracker.Update({}, 20);
  tracker.Update({}, 20);  // 40 frames later: more than the 30 of the buffer
  tracker.Update({Box(0, 0)});
  const auto& tracks = tracker.Update({Box(0, 0)});
  ASSERT_EQ(tracks.size(), 1U);
  EXPECT_EQ(tracks[0].id, 2U);
}

TEST(ByteTrackerTest, ReportsLostTracksOnRequest) {
  TrackerOptions options;
  options.report_lost = true;
  options.max_lost_frames = 3;
  ByteTracker tracker(options);
  for (int frame = 0; frame < 10; ++frame) tracker.Update({Box(5.0F * frame, 0)});
  for (unsigned lost = 1; lost <= 3; ++lost) {
    const auto& tracks = tracker.Update({});
    ASSERT_EQ(tracks.size(), 1U);
    EXPECT_EQ(tracks[0].frames_since_detection, lost);
    EXPECT_EQ(tracks[0].detection.confidence, 0);
  }
  EXPECT_TRUE(tracker.Update({}).empty());
}

TEST(ByteTrackerTest, ClassAwarenessIsAnOption) {
  for (const bool aware : {true, false}) {
    TrackerOptions options;
    options.class_aware = aware;
    ByteTracker tracker(options);
    for (int frame = 0; frame < 5; ++frame) tracker.Update({Box(0, 0, 0.9F, 2)});
    tracker.Update({Box(0, 0, 0.9F, 7)});
    const auto& tracks = tracker.Update({Box(0, 0, 0.9F, 7)});
    ASSERT_EQ(tracks.size(), 1U);
    EXPECT_EQ(tracks[0].detection.class_id, 7);
    EXPECT_EQ(tracks[0].id, aware ? 2U : 1U);
  }
}

TEST(ByteTrackerTest, IgnoresBoxesThatAreNone) {
  ByteTracker tracker;
  Detection empty = Box(0, 0), broken = Box(0, 0);
  empty.width = 0;
  broken.left = std::nanf("");
  for (int frame = 0; frame < 3; ++frame) EXPECT_TRUE(tracker.Update({empty, broken}).empty());
}

TEST(ByteTrackerTest, KeepsTheIdsOfACrowdOfTwoHundred) {
  constexpr int kObjects = 200, kFrames = 100;
  std::mt19937 random(1);
  std::normal_distribution<float> noise(0, 1);
  ByteTracker tracker;
  std::map<int, std::uint64_t> id_of;
  for (int frame = 0; frame < kFrames; ++frame) {
    Detections seen;
    for (int i = 0; i < kObjects; ++i) {  // a crowd: 20 by 10, each overlaps its neighbours
      seen.push_back(
          Box(30.0F * (i % 20) + 2.0F * frame + noise(random), 60.0F * (i / 20) + noise(random)));
    }
    const auto& tracks = tracker.Update(seen);
    if (frame == 0) continue;
    ASSERT_EQ(tracks.size(), static_cast<std::size_t>(kObjects));
    for (int i = 0; i < kObjects; ++i) {
      const std::uint64_t id = IdAt(tracks, seen[i]);
      const auto known = id_of.emplace(i, id).first;
      ASSERT_EQ(known->second, id) << "object " << i << ", frame " << frame;
    }
  }
}

}  // namespace
}  // namespace sightline
