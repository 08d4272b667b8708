#include "deepstream/reader/track_memory.h"

#include <algorithm>

namespace sightline {
namespace {

// Longer than any tracker keeps a lost object.
constexpr std::uint64_t kForgetAfterFrames = 1000;
constexpr std::uint64_t kSweepEveryFrames = 100;
constexpr std::int32_t kMaxClasses = 4096;

}  // namespace

std::uint32_t TrackMemory::SinceDetection(std::uint64_t id, std::uint64_t sequence, bool detected) {
  auto at =
      std::lower_bound(tracks_.begin(), tracks_.end(), id,
                       [](const Track& track, std::uint64_t wanted) { return track.id < wanted; });
  if (at == tracks_.end() || at->id != id) {
    // A track that is first met without a detection was confirmed before, we do not know when.
    const std::uint64_t before = sequence > 0 ? sequence - 1 : 0;
    at = tracks_.insert(at, {id, detected ? sequence : before, sequence});
    return detected ? 0 : 1;
  }
  at->seen = sequence;
  if (detected) at->detected = sequence;
  const std::uint64_t since = sequence > at->detected ? sequence - at->detected : 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(since, UINT32_MAX));
}

void TrackMemory::EndFrame(std::uint64_t sequence) {
  if (sequence < next_sweep_) return;
  next_sweep_ = sequence + kSweepEveryFrames;
  const auto gone = [sequence](const Track& track) {
    return track.seen + kForgetAfterFrames < sequence;
  };
  tracks_.erase(std::remove_if(tracks_.begin(), tracks_.end(), gone), tracks_.end());
}

void TrackMemory::Learn(std::int32_t class_id, std::string_view label) {
  if (class_id < 0 || class_id >= kMaxClasses || label.empty()) return;
  const auto index = static_cast<std::size_t>(class_id);
  if (index >= labels_.size()) labels_.resize(index + 1);
  if (labels_[index] != label) labels_[index] = label;
}

std::string_view TrackMemory::LabelOf(std::int32_t class_id) const {
  const auto index = static_cast<std::size_t>(class_id);
  return class_id >= 0 && index < labels_.size() ? std::string_view(labels_[index])
                                                 : std::string_view();
}

}  // namespace sightline
