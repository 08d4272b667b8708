#pragma once

#include <algorithm>

#include "core/detection.h"

namespace sightline {

// Shared area over joint area of two boxes, 0 to 1.
inline float IntersectionOverUnion(const Detection& a, const Detection& b) {
  const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
  const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const float shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

}  // namespace sightline
