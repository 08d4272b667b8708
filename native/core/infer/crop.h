#pragma once

#include <vector>

#include "core/config/infer_config.h"
#include "core/detection.h"
#include "core/infer/preprocess.h"

namespace sightline {

// Whole pixels of a picture.
struct PixelRect {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

// The pixels of a picture that a box touches; empty when it lies outside.
PixelRect TouchedPixels(const Detection& box, int width, int height);

// Brings a part of a picture to the size of a network's input. Holds the memory of its tables.
class CropScaler {
 public:
  explicit CropScaler(ScalingFilter filter) : nearest_(filter == ScalingFilter::kNearest) {}

  // Scales `rect` of `picture` to `width` x `height` at (input.left, input.top); pixels' middles
  // map to each other, and nothing outside of `rect` is read. `rect` lies within the picture and is
  // not empty.
  void Write(const PixelView& picture, const PixelRect& rect, int width, int height,
             const Normalisation& normalisation, const NetworkInput& input);

 private:
  // Where a pixel of the result lies between two of the source.
  struct Tap {
    int first;
    int second;
    float weight;  // of the second
  };

  void Fill(std::vector<Tap>& taps, int from, int source, int target) const;

  bool nearest_;
  std::vector<Tap> columns_;
  std::vector<Tap> rows_;
};

}  // namespace sightline
