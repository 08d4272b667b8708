#pragma once

#include "core/detection.h"

namespace sightline {

// Where a source frame lies in the network's input, in whole pixels, and the way back.
struct Letterbox {
  int source_width = 0;
  int source_height = 0;
  int left = 0;  // of the picture in the network's input; the rest is black
  int top = 0;
  int width = 0;
  int height = 0;

  // A box in network pixels as one in source pixels, not clipped.
  Detection ToSource(const Detection& box) const;
  Detection ToNetwork(const Detection& box) const;
};

// `keep_aspect` scales both ways alike and leaves black at the right or bottom, or with `centred`
// on both sides; otherwise the frame is stretched over the whole input.
Letterbox FitFrame(int source_width, int source_height, int network_width, int network_height,
                   bool keep_aspect, bool centred);

// The part of a box within a frame; width or height is 0 or less when it lies outside.
Detection ClipToFrame(const Detection& box, int frame_width, int frame_height);

}  // namespace sightline
