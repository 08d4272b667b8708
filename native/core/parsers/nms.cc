#include "core/parsers/nms.h"

#include <algorithm>

namespace sightline {

float Overlap(const Detection& a, const Detection& b) {
  const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

void SortByConfidence(std::vector<Detection>& detections) {
  std::sort(detections.begin(), detections.end(), [](const Detection& a, const Detection& b) {
    if (a.confidence != b.confidence) return a.confidence > b.confidence;
    if (a.class_id != b.class_id) return a.class_id < b.class_id;
    if (a.top != b.top) return a.top < b.top;
    return a.left < b.left;
  });
}

void SuppressOverlaps(std::vector<Detection>& detections, const std::vector<float>& limits) {
  SortByConfidence(detections);
  size_t kept = 0;
  for (size_t i = 0; i < detections.size(); ++i) {
    const Detection& candidate = detections[i];
    const float limit = limits[static_cast<size_t>(candidate.class_id)];
    const bool covered = std::any_of(
        detections.begin(), detections.begin() + static_cast<std::ptrdiff_t>(kept),
        [&](const Detection& better) {
          return better.class_id == candidate.class_id && Overlap(better, candidate) > limit;
        });
    if (!covered) detections[kept++] = candidate;
  }
  detections.resize(kept);
}

}  // namespace sightline
