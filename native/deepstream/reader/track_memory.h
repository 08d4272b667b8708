#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sightline {

// What the frames of one pad have told about tracks: when the detector last confirmed each, and
// which label each class has.
class TrackMemory {
 public:
  // Frames since the detector confirmed the track; 0 when it did on this frame.
  std::uint32_t SinceDetection(std::uint64_t id, std::uint64_t sequence, bool detected);
  // Forgets tracks that were not seen for long. Call it once a frame.
  void EndFrame(std::uint64_t sequence);

  void Learn(std::int32_t class_id, std::string_view label);
  // The class' label, empty when no object has had it yet; valid until the next Learn().
  std::string_view LabelOf(std::int32_t class_id) const;

 private:
  struct Track {
    std::uint64_t id;
    std::uint64_t detected;
    std::uint64_t seen;
  };
  std::vector<Track> tracks_;  // by id
  std::uint64_t next_sweep_ = 0;
  std::vector<std::string> labels_;  // by class
};

}  // namespace sightline
