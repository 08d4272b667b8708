#include "deepstream/reader/frame_space.h"

#include <algorithm>
#include <cmath>

namespace sightline {
namespace {

constexpr float kDegrees = 57.2957795F;

guint Even(double size) { return static_cast<guint>(size) & ~1U; }

}  // namespace

FrameSpace::FrameSpace(const nvds::NvDsFrameMeta& frame, bool padded)
    : width_(frame.source_frame_width), height_(frame.source_frame_height) {
  const guint batch_width = frame.pipeline_width;
  const guint batch_height = frame.pipeline_height;
  if (width_ == 0 || height_ == 0) {
    width_ = batch_width;
    height_ = batch_height;
  }
  batch_width_ = static_cast<float>(batch_width);
  batch_height_ = static_cast<float>(batch_height);
  if (batch_width == 0 || batch_height == 0) {  // not scaled
    batch_width_ = static_cast<float>(width_);
    batch_height_ = static_cast<float>(height_);
    return;
  }
  guint inner_width = batch_width;
  guint inner_height = batch_height;
  if (padded) {
    // The muxer works on even sizes, and so must the way back.
    const double source_width = width_ & ~1U;
    const double source_height = height_ & ~1U;
    if (source_width == 0 || source_height == 0) return;
    const double full_height = batch_width * source_height / source_width;
    if (full_height <= batch_height) {
      inner_height = Even(full_height);
    } else {
      inner_width = Even(batch_height * source_width / source_height);
    }
    offset_x_ = static_cast<float>(Even((batch_width - inner_width) / 2));
    offset_y_ = static_cast<float>(Even((batch_height - inner_height) / 2));
  }
  if (inner_width == 0 || inner_height == 0) return;
  scale_x_ = static_cast<float>(width_) / static_cast<float>(inner_width);
  scale_y_ = static_cast<float>(height_) / static_cast<float>(inner_height);
}

FrameSpace FrameSpace::FromTracker(std::uint32_t width, std::uint32_t height) const {
  FrameSpace space = *this;
  if (width == 0 || height == 0) return space;
  const float to_batch_x = batch_width_ / static_cast<float>(width);
  const float to_batch_y = batch_height_ / static_cast<float>(height);
  if (!(to_batch_x > 0) || !(to_batch_y > 0)) return space;
  space.scale_x_ *= to_batch_x;
  space.scale_y_ *= to_batch_y;
  space.offset_x_ /= to_batch_x;
  space.offset_y_ /= to_batch_y;
  return space;
}

Box FrameSpace::ToSource(const Box& box) const {
  return {(box.left - offset_x_) * scale_x_, (box.top - offset_y_) * scale_y_, box.width * scale_x_,
          box.height * scale_y_};
}

Box FrameSpace::ToSource(const Box& box, float* degrees) const {
  if (*degrees == 0 || scale_x_ == scale_y_) return ToSource(box);
  const float sine = std::sin(*degrees / kDegrees);
  const float cosine = std::cos(*degrees / kDegrees);
  Box turned = ToSource(box);
  const float middle_x = turned.left + turned.width / 2;
  const float middle_y = turned.top + turned.height / 2;
  turned.width = box.width * std::hypot(cosine * scale_x_, sine * scale_y_);
  turned.height = box.height * std::hypot(sine * scale_x_, cosine * scale_y_);
  turned.left = middle_x - turned.width / 2;
  turned.top = middle_y - turned.height / 2;
  *degrees = std::atan2(sine * scale_y_, cosine * scale_x_) * kDegrees;
  return turned;
}

void FrameSpace::ToSource(const float point[2], float source[2]) const {
  source[0] = (point[0] - offset_x_) * scale_x_;
  source[1] = (point[1] - offset_y_) * scale_y_;
}

bool FrameSpace::Clip(Box* box) const {
  if (!(box->width > 0) || !(box->height > 0)) return false;
  if (width_ == 0 || height_ == 0) return true;
  const float right = std::min(box->left + box->width, static_cast<float>(width_));
  const float bottom = std::min(box->top + box->height, static_cast<float>(height_));
  box->left = std::max(box->left, 0.0F);
  box->top = std::max(box->top, 0.0F);
  box->width = right - box->left;
  box->height = bottom - box->top;
  return box->width > 0 && box->height > 0;
}

}  // namespace sightline
