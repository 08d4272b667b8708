#pragma once

#include <cstdint>
#include <vector>

#include "core/detection.h"
#include "core/track/assignment.h"
#include "core/track/kalman_box.h"

namespace sightline {

struct TrackerOptions {
  // Detections from here up take part in the first association.
  float high_threshold = 0.35F;
  // Detections between here and `high_threshold` can only continue a track; below are ignored.
  float low_threshold = 0.1F;
  // An unmatched detection from here up starts a track.
  float new_track_threshold = 0.5F;
  // A pair of the first association needs 1 - IoU below this.
  float match_threshold = 0.8F;
  // Likewise for low-score detections, and for tracks that are not confirmed yet.
  float low_match_threshold = 0.5F;
  float tentative_match_threshold = 0.7F;
  // Frame intervals without a detection after which a track ends.
  int max_lost_frames = 30;
  // Detections in a row that confirm a track; 1 confirms at once.
  int min_hits = 2;
  // Whether a track only continues with detections of its class.
  bool class_aware = true;
  // Whether lost tracks are reported at their predicted place.
  bool report_lost = false;
};

struct Track {
  // The filtered box; confidence is 0 where the box is a prediction.
  Detection detection;
  std::uint64_t id = 0;
  std::uint32_t frames_since_detection = 0;
};

// Multi-object tracker after ByteTrack (Zhang et al., ECCV 2022): Kalman prediction, then
// association by overlap in two stages, first with the certain detections and then with the
// doubtful ones, which are often half-hidden objects. Ids count from 1 and are never given twice,
// Reset() included. After the first frames it allocates only when there are more objects than ever
// before.
class ByteTracker {
 public:
  explicit ByteTracker(const TrackerOptions& options = {}) : options_(options) {}

  void set_options(const TrackerOptions& options) { options_ = options; }
  const TrackerOptions& options() const { return options_; }

  // Takes a frame the detector ran on. `step` is the time since the previous frame in frame
  // intervals: 1 without gaps, 3 after two dropped frames. Returns the confirmed tracks; the
  // reference stays valid until the next call.
  const std::vector<Track>& Update(const Detections& detections, float step = 1);
  // Takes a frame the detector skipped: tracks move, and none is born or lost.
  const std::vector<Track>& Predict(float step = 1);
  // Ends all tracks (a seek, a new picture size).
  void Reset() { tracks_.clear(); }
  // The next track gets this id, and later ones the numbers above.
  void set_next_id(std::uint64_t id) { next_id_ = id; }

 private:
  enum class State { kTentative, kTracked, kLost, kEnded };
  struct Entry {
    KalmanBox filter;
    Detection detection;  // the last one
    Detection predicted;
    State state = State::kTentative;
    bool matched = false;
    int hits = 0;
    float since_detection = 0;  // frame intervals
    std::uint64_t id = 0;
  };

  void Move(float step);
  void SortByScore(const Detections& detections);
  void Associate(const Detections& detections, std::vector<int>* candidates, float limit);
  void Continue(Entry* entry, const Detection& detection);
  void MatchFirst(const Detections& detections);
  void MatchLow(const Detections& detections);
  void MatchTentative(const Detections& detections);
  void MarkUnmatched();
  void Start(const Detections& detections);
  void Confirm(Entry* entry);
  void Collect();

  TrackerOptions options_;
  std::uint64_t next_id_ = 1;
  std::vector<Entry> tracks_;

  // Working memory.
  std::vector<int> high_, low_;  // unmatched detections
  std::vector<int> entries_;     // tracks of the association under way
  std::vector<float> cost_;
  Assignment assignment_;
  std::vector<Track> report_;
};

}  // namespace sightline
