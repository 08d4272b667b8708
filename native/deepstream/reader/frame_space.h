#pragma once

#include "core/encode/frame_message.h"
#include "deepstream/abi/meta.h"

namespace sightline {

// Leads from the pixels of a batch to those of one source frame. nvstreammux stretches frames to
// one size, or, with enable-padding, puts them between black bars; the new muxer leaves them.
class FrameSpace {
 public:
  FrameSpace() = default;
  // `padded`: the muxer keeps the aspect ratio.
  FrameSpace(const nvds::NvDsFrameMeta& frame, bool padded);

  // The space of boxes that are in pixels of the tracker's pictures of this size; 0: as they are.
  FrameSpace FromTracker(std::uint32_t width, std::uint32_t height) const;

  // Pixels of the source frame; 0 unknown.
  std::uint32_t width() const { return width_; }
  std::uint32_t height() const { return height_; }

  Box ToSource(const Box& box) const;
  // Of a box that is turned around its middle. Uneven scaling turns it further.
  Box ToSource(const Box& box, float* degrees) const;
  void ToSource(const float point[2], float source[2]) const;
  // Cuts off what is outside of the frame; false when nothing is left.
  bool Clip(Box* box) const;

 private:
  std::uint32_t width_ = 0;
  std::uint32_t height_ = 0;
  // source = (batch - offset) * scale
  float scale_x_ = 1;
  float scale_y_ = 1;
  float offset_x_ = 0;
  float offset_y_ = 0;
  float batch_width_ = 0;
  float batch_height_ = 0;
};

}  // namespace sightline
