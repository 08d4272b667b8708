#include "plugin/analytics_stream.h"

#include <algorithm>

#include "plugin/analytics_meta.h"
#include "plugin/detection_meta.h"

void SlAnalyticsStream::SetSettings(const SlAnalyticsSettings& settings) {
  settings_ = settings;
  analyzer_.reset();
}

bool SlAnalyticsStream::SetCaps(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  const int width = width_, height = height_;
  if (!gst_structure_get_int(structure, "width", &width_) ||
      !gst_structure_get_int(structure, "height", &height_)) {
    return false;
  }
  if (width != width_ || height != height_) analyzer_.reset();
  return true;
}

int SlAnalyticsStream::surface_width() const {
  return settings_.surface_width != 0 ? static_cast<int>(settings_.surface_width) : width_;
}

int SlAnalyticsStream::surface_height() const {
  return settings_.surface_height != 0 ? static_cast<int>(settings_.surface_height) : height_;
}

// The part of a box that is on the picture, in pixels of the surface.
sightline::Box SlAnalyticsStream::ToSurface(const sightline::Detection& box) const {
  const double x = static_cast<double>(surface_width()) / width_;
  const double y = static_cast<double>(surface_height()) / height_;
  const double left = std::clamp<double>(box.left, 0, width_);
  const double top = std::clamp<double>(box.top, 0, height_);
  const double right = std::clamp<double>(static_cast<double>(box.left) + box.width, left, width_);
  const double bottom = std::clamp<double>(static_cast<double>(box.top) + box.height, top, height_);
  return {static_cast<float>(left * x), static_cast<float>(top * y),
          static_cast<float>((right - left) * x), static_cast<float>((bottom - top) * y)};
}

// What lies outside of the picture entirely is left out here as in the message.
void SlAnalyticsStream::ReadObjects(GstBuffer* buffer) {
  objects_.clear();
  regions_.clear();
  SlForEachObject(buffer, width_, height_, [this](const SlObject& object) {
    const sightline::Box box = ToSurface(object.detection);
    if (!(box.width > 0 && box.height > 0)) return;
    objects_.push_back({box, object.detection.class_id, object.tracked, object.track_id});
    regions_.push_back(object.region);
  });
}

void SlAnalyticsStream::Analyze(GstBuffer* buffer) {
  if (!analyzer_) {
    analyzer_.emplace(*settings_.rules, static_cast<int>(settings_.stream_index), surface_width(),
                      surface_height());
  }
  if (GST_BUFFER_PTS_IS_VALID(buffer)) last_pts_ = GST_BUFFER_PTS(buffer);
  ReadObjects(buffer);
  analyzer_->Process(objects_, last_pts_);
  for (std::size_t i = 0; i < regions_.size(); ++i) {
    SlAddObjectAnalytics(regions_[i], analyzer_->objects()[i]);
  }
  SlAddFrameAnalytics(buffer, analyzer_->frame());
}
