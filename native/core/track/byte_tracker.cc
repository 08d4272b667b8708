#include "core/track/byte_tracker.h"

#include <algorithm>
#include <cmath>

#include "core/track/box.h"

namespace sightline {
namespace {

// A pair that must not be made: above any limit.
constexpr float kForbidden = 2;

bool IsUsable(const Detection& box) {
  return std::isfinite(box.left) && std::isfinite(box.top) && std::isfinite(box.width) &&
         std::isfinite(box.height) && box.width > 0 && box.height > 0;
}

}  // namespace

const std::vector<Track>& ByteTracker::Update(const Detections& detections, float step) {
  Move(step);
  SortByScore(detections);
  MatchFirst(detections);
  MatchLow(detections);
  MatchTentative(detections);
  MarkUnmatched();
  Start(detections);
  Collect();
  return report_;
}

const std::vector<Track>& ByteTracker::Predict(float step) {
  Move(step);
  Collect();
  return report_;
}

void ByteTracker::Move(float step) {
  step = std::max(step, 0.0F);
  for (Entry& entry : tracks_) {
    entry.filter.Predict(step);
    entry.predicted = entry.filter.box();
    entry.since_detection += step;
    entry.matched = false;
  }
}

void ByteTracker::SortByScore(const Detections& detections) {
  high_.clear();
  low_.clear();
  for (std::size_t i = 0; i < detections.size(); ++i) {
    if (!IsUsable(detections[i])) continue;
    const float score = detections[i].confidence;
    if (score >= options_.high_threshold) {
      high_.push_back(static_cast<int>(i));
    } else if (score >= options_.low_threshold) {
      low_.push_back(static_cast<int>(i));
    }
  }
}

// Pairs `entries_` with `candidates` and leaves in `candidates` those that found no track.
void ByteTracker::Associate(const Detections& detections, std::vector<int>* candidates,
                            float limit) {
  const std::size_t columns = candidates->size();
  if (entries_.empty() || columns == 0) return;
  cost_.resize(entries_.size() * columns);
  float* cost = cost_.data();
  for (const int entry : entries_) {
    const Entry& track = tracks_[entry];
    for (const int candidate : *candidates) {
      const Detection& box = detections[candidate];
      const bool allowed = !options_.class_aware || box.class_id == track.detection.class_id;
      *cost++ = allowed ? 1 - IntersectionOverUnion(track.predicted, box) : kForbidden;
    }
  }
  const std::vector<int>& column_of =
      assignment_.Solve(cost_, static_cast<int>(entries_.size()), static_cast<int>(columns), limit);
  for (std::size_t row = 0; row < entries_.size(); ++row) {
    const int column = column_of[row];
    if (column == Assignment::kUnassigned) continue;
    Continue(&tracks_[entries_[row]], detections[(*candidates)[column]]);
    (*candidates)[column] = Assignment::kUnassigned;
  }
  candidates->erase(std::remove(candidates->begin(), candidates->end(), Assignment::kUnassigned),
                    candidates->end());
}

void ByteTracker::Continue(Entry* entry, const Detection& detection) {
  entry->filter.Correct(detection);
  entry->detection = detection;
  entry->since_detection = 0;
  entry->matched = true;
  ++entry->hits;
  if (entry->state == State::kLost) entry->state = State::kTracked;
  if (entry->state == State::kTentative) Confirm(entry);
}

void ByteTracker::MatchFirst(const Detections& detections) {
  entries_.clear();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].state != State::kTentative) entries_.push_back(static_cast<int>(i));
  }
  Associate(detections, &high_, options_.match_threshold);
}

// A lost track must not come back on a doubtful detection.
void ByteTracker::MatchLow(const Detections& detections) {
  entries_.clear();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].state == State::kTracked && !tracks_[i].matched) {
      entries_.push_back(static_cast<int>(i));
    }
  }
  Associate(detections, &low_, options_.low_match_threshold);
}

void ByteTracker::MatchTentative(const Detections& detections) {
  entries_.clear();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    if (tracks_[i].state == State::kTentative) entries_.push_back(static_cast<int>(i));
  }
  Associate(detections, &high_, options_.tentative_match_threshold);
}

void ByteTracker::MarkUnmatched() {
  const auto limit = static_cast<float>(options_.max_lost_frames);
  for (Entry& entry : tracks_) {
    if (entry.matched) continue;
    if (entry.state == State::kTentative || entry.since_detection > limit) {
      entry.state = State::kEnded;
    } else if (entry.state == State::kTracked) {
      entry.state = State::kLost;
      entry.filter.StopGrowth();
    }
  }
  const auto ended = [](const Entry& entry) { return entry.state == State::kEnded; };
  tracks_.erase(std::remove_if(tracks_.begin(), tracks_.end(), ended), tracks_.end());
}

void ByteTracker::Start(const Detections& detections) {
  for (const int index : high_) {
    if (detections[index].confidence < options_.new_track_threshold) continue;
    Entry entry;
    entry.filter.Start(detections[index]);
    entry.detection = detections[index];
    entry.hits = 1;
    entry.matched = true;
    Confirm(&entry);
    tracks_.push_back(entry);
  }
}

// Ids are given to confirmed tracks only, so that a false alarm uses none.
void ByteTracker::Confirm(Entry* entry) {
  if (entry->hits < options_.min_hits) return;
  entry->state = State::kTracked;
  entry->id = next_id_++;
}

void ByteTracker::Collect() {
  report_.clear();
  for (const Entry& entry : tracks_) {
    const bool reported =
        entry.state == State::kTracked || (entry.state == State::kLost && options_.report_lost);
    if (!reported) continue;
    Track track;
    track.detection = entry.filter.box();
    track.detection.class_id = entry.detection.class_id;
    track.detection.confidence = entry.matched ? entry.detection.confidence : 0;
    track.id = entry.id;
    track.frames_since_detection = static_cast<std::uint32_t>(std::lround(entry.since_detection));
    if (!entry.matched) track.frames_since_detection = std::max(track.frames_since_detection, 1U);
    report_.push_back(track);
  }
}

}  // namespace sightline
