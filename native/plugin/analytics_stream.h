#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/analytics/analyzer.h"
#include "core/analytics/rules.h"

// What an application chooses. Sizes in pixels, 0: the picture's own.
struct SlAnalyticsSettings {
  std::shared_ptr<const sightline::AnalyticsRules> rules;
  guint stream_index = 0;
  guint surface_width = 0;
  guint surface_height = 0;
};

// The analytics of one video stream: carries objects from a buffer's metadata to the analyzer, and
// its results back.
class SlAnalyticsStream {
 public:
  // From here on everything is counted anew.
  void SetSettings(const SlAnalyticsSettings& settings);
  // Takes the picture's size; when it changes, everything is counted anew.
  bool SetCaps(const GstCaps* caps);
  // Whether the rules are switched on by their file.
  bool enabled() const { return settings_.rules->enable; }
  // Adds results to the buffer's metadata. `buffer` must be writable.
  void Analyze(GstBuffer* buffer);
  guint64 crossings() const { return analyzer_ ? analyzer_->crossings() : 0; }

 private:
  sightline::Box ToSurface(const sightline::Detection& box) const;
  void ReadObjects(GstBuffer* buffer);
  int surface_width() const;
  int surface_height() const;

  SlAnalyticsSettings settings_;
  int width_ = 0;
  int height_ = 0;
  std::optional<sightline::Analyzer> analyzer_;
  guint64 last_pts_ = 0;
  // Objects of the frame and where each was read from.
  std::vector<sightline::AnalyzedObject> objects_;
  std::vector<GstVideoRegionOfInterestMeta*> regions_;
};
