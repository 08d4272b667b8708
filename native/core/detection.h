#pragma once

#include <vector>

namespace sightline {

// One detected object. The box is in pixels of whatever space the owner names (parsers: network
// input; elements: source frame), origin at the top left; it may reach outside the picture until
// clipped.
struct Detection {
  float left = 0;
  float top = 0;
  float width = 0;
  float height = 0;
  float confidence = 0;  // 0 to 1
  int class_id = 0;      // index into the model's labels
};

using Detections = std::vector<Detection>;

}  // namespace sightline
