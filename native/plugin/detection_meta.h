#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <functional>

#include "core/detection.h"

// Objects on a CPU frame travel as GstVideoRegionOfInterestMeta, which stock GStreamer and other
// vendors' elements read: `roi_type` is the label, x/y/w/h the box rounded to pixels, and a
// structure "detection" holds {label_id int, confidence double, x_min, y_min, x_max, y_max double
// (0 to 1 of the frame), component uint (of the detector; absent in those of others)} with the
// exact box. sltrack adds a structure "tracking" {id uint64, frames_since_detection uint},
// slanalytics a structure "analytics" (analytics_meta.h).

struct SlObject {
  sightline::Detection detection;  // box in source-frame pixels
  GQuark label = 0;
  guint component = 0;  // number of the detector that found it; 0 unknown
  bool tracked = false;
  guint64 track_id = 0;              // valid when tracked
  guint frames_since_detection = 0;  // 0: seen by the detector on this frame
  // Where it was read from; null for one that is to be added.
  GstVideoRegionOfInterestMeta* region = nullptr;
};

// Adds one object. `buffer` must be writable; the frame size is in pixels.
void SlAddObject(GstBuffer* buffer, const SlObject& object, int frame_width, int frame_height);
// Calls `visit` for every object on the buffer, in the order they were added.
void SlForEachObject(GstBuffer* buffer, int frame_width, int frame_height,
                     const std::function<void(const SlObject&)>& visit);
// Removes every object (sltrack replaces detections by tracks). `buffer` must be writable.
void SlRemoveObjects(GstBuffer* buffer);
