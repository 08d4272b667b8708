#include "core/infer/letterbox.h"

#include <algorithm>
#include <cmath>

namespace sightline {

Letterbox FitFrame(int source_width, int source_height, int network_width, int network_height,
                   bool keep_aspect, bool centred) {
  Letterbox fit;
  fit.source_width = source_width;
  fit.source_height = source_height;
  fit.width = network_width;
  fit.height = network_height;
  if (!keep_aspect) return fit;
  const double scale = std::min(static_cast<double>(network_width) / source_width,
                                static_cast<double>(network_height) / source_height);
  const auto scaled = [&](int size, int most) {
    return std::clamp(static_cast<int>(std::lround(size * scale)), 1, most);
  };
  fit.width = scaled(source_width, network_width);
  fit.height = scaled(source_height, network_height);
  if (centred) {
    fit.left = (network_width - fit.width) / 2;
    fit.top = (network_height - fit.height) / 2;
  }
  return fit;
}

Detection Letterbox::ToSource(const Detection& box) const {
  const float x = static_cast<float>(source_width) / static_cast<float>(width);
  const float y = static_cast<float>(source_height) / static_cast<float>(height);
  Detection mapped = box;
  mapped.left = (box.left - static_cast<float>(left)) * x;
  mapped.top = (box.top - static_cast<float>(top)) * y;
  mapped.width = box.width * x;
  mapped.height = box.height * y;
  return mapped;
}

Detection Letterbox::ToNetwork(const Detection& box) const {
  const float x = static_cast<float>(width) / static_cast<float>(source_width);
  const float y = static_cast<float>(height) / static_cast<float>(source_height);
  Detection mapped = box;
  mapped.left = box.left * x + static_cast<float>(left);
  mapped.top = box.top * y + static_cast<float>(top);
  mapped.width = box.width * x;
  mapped.height = box.height * y;
  return mapped;
}

Detection ClipToFrame(const Detection& box, int frame_width, int frame_height) {
  const float right = std::min(box.left + box.width, static_cast<float>(frame_width));
  const float bottom = std::min(box.top + box.height, static_cast<float>(frame_height));
  Detection clipped = box;
  clipped.left = std::max(box.left, 0.0f);
  clipped.top = std::max(box.top, 0.0f);
  clipped.width = right - clipped.left;
  clipped.height = bottom - clipped.top;
  return clipped;
}

}  // namespace sightline
