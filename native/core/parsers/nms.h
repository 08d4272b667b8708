#pragma once

#include <vector>

#include "core/detection.h"

namespace sightline {

// Intersection over union of two boxes, 0 to 1.
float Overlap(const Detection& a, const Detection& b);

// Sorts best first (equal confidence: lower class, then higher up, then further left), then, class
// by class, removes each box that overlaps a better one that is kept by more than the class' limit,
// `limits[class_id]`.
void SuppressOverlaps(std::vector<Detection>& detections, const std::vector<float>& limits);
// The sorting alone.
void SortByConfidence(std::vector<Detection>& detections);

}  // namespace sightline
