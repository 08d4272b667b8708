#include "core/infer/crop.h"

#include <algorithm>
#include <cmath>

namespace sightline {

PixelRect TouchedPixels(const Detection& box, int width, int height) {
  const auto inside = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  PixelRect rect;
  rect.left = inside(std::floor(box.left), width);
  rect.top = inside(std::floor(box.top), height);
  rect.width = inside(std::ceil(static_cast<double>(box.left) + box.width), width) - rect.left;
  rect.height = inside(std::ceil(static_cast<double>(box.top) + box.height), height) - rect.top;
  return rect;
}

void CropScaler::Fill(std::vector<Tap>& taps, int from, int source, int target) const {
  taps.resize(static_cast<size_t>(target));
  const double step = static_cast<double>(source) / target;
  for (int i = 0; i < target; ++i) {
    const double middle = (i + 0.5) * step - 0.5;
    const double place = std::clamp(nearest_ ? std::round(middle) : middle, 0.0, source - 1.0);
    const int first = static_cast<int>(place);
    taps[static_cast<size_t>(i)] = {from + first, from + std::min(first + 1, source - 1),
                                    static_cast<float>(place - first)};
  }
}

void CropScaler::Write(const PixelView& picture, const PixelRect& rect, int width, int height,
                       const Normalisation& normalisation, const NetworkInput& input) {
  Fill(columns_, rect.left, rect.width, width);
  Fill(rows_, rect.top, rect.height, height);
  const size_t plane = static_cast<size_t>(input.width) * static_cast<size_t>(input.height);
  const size_t channels = static_cast<size_t>(input.channels);
  const size_t pixel_bytes = static_cast<size_t>(picture.pixel_bytes);
  for (int y = 0; y < height; ++y) {
    const Tap& row = rows_[static_cast<size_t>(y)];
    const uint8_t* upper = picture.data + static_cast<size_t>(row.first) * picture.row_bytes;
    const uint8_t* lower = picture.data + static_cast<size_t>(row.second) * picture.row_bytes;
    const size_t line = static_cast<size_t>(input.top + y) * static_cast<size_t>(input.width) +
                        static_cast<size_t>(input.left);
    for (size_t channel = 0; channel < channels; ++channel) {
      const size_t byte = static_cast<size_t>(picture.channel_at[channel]);
      const float mean = normalisation.mean[channel];
      float* out = input.channels_last ? input.data + line * channels + channel
                                       : input.data + channel * plane + line;
      const size_t step = input.channels_last ? channels : 1;
      for (const Tap& column : columns_) {
        const size_t left = static_cast<size_t>(column.first) * pixel_bytes + byte;
        const size_t right = static_cast<size_t>(column.second) * pixel_bytes + byte;
        const auto between = [&](const uint8_t* pixels) {
          return static_cast<float>(pixels[left]) +
                 column.weight * static_cast<float>(pixels[right] - pixels[left]);
        };
        const float above = between(upper);
        const float value = above + row.weight * (between(lower) - above);
        *out = normalisation.scale * (value - mean);
        out += step;
      }
    }
  }
}

}  // namespace sightline
