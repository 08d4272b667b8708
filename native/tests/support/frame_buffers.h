#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/detection.h"
#include "plugin/frame_meta.h"

// Metadata as any application reads and writes it: through GStreamer's registry and the structures
// that native/plugin/detection_meta.h promises, not through the plugin's own code.
namespace sightline::test {

inline const GstMetaInfo* FrameMetaInfo() {
  const GstMetaInfo* info = gst_meta_get_info("SlFrameMeta");
  if (info == nullptr) {
    gst_plugin_load_by_name("sightline");
    info = gst_meta_get_info("SlFrameMeta");
  }
  return info;
}

inline SlFrameMeta* FrameMetaOf(GstBuffer* buffer) {
  return reinterpret_cast<SlFrameMeta*>(gst_buffer_get_meta(buffer, FrameMetaInfo()->api));
}

inline SlFrameMeta* AddFrameMeta(GstBuffer* buffer) {
  return reinterpret_cast<SlFrameMeta*>(gst_buffer_add_meta(buffer, FrameMetaInfo(), nullptr));
}

struct SeenObject {
  std::string label;
  Detection box;
  guint64 id = 0;
  guint frames_since_detection = 0;
};

inline void AddDetection(GstBuffer* buffer, const char* label, const Detection& box, int width,
                         int height) {
  auto* region = gst_buffer_add_video_region_of_interest_meta(
      buffer, label, static_cast<guint>(box.left), static_cast<guint>(box.top),
      static_cast<guint>(box.width), static_cast<guint>(box.height));
  gst_video_region_of_interest_meta_add_param(
      region,
      gst_structure_new("detection", "label_id", G_TYPE_INT, box.class_id, "confidence",
                        G_TYPE_DOUBLE, static_cast<double>(box.confidence), "x_min", G_TYPE_DOUBLE,
                        static_cast<double>(box.left) / width, "y_min", G_TYPE_DOUBLE,
                        static_cast<double>(box.top) / height, "x_max", G_TYPE_DOUBLE,
                        static_cast<double>(box.left + box.width) / width, "y_max", G_TYPE_DOUBLE,
                        static_cast<double>(box.top + box.height) / height, nullptr));
}

inline std::vector<SeenObject> ObjectsOn(GstBuffer* buffer, int width, int height) {
  std::vector<SeenObject> objects;
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    SeenObject object;
    object.label = g_quark_to_string(region->roi_type);
    const auto* detection = gst_video_region_of_interest_meta_get_param(region, "detection");
    double confidence = 0, left = 0, top = 0, right = 0, bottom = 0;
    EXPECT_TRUE(gst_structure_get(detection, "confidence", G_TYPE_DOUBLE, &confidence, "label_id",
                                  G_TYPE_INT, &object.box.class_id, "x_min", G_TYPE_DOUBLE, &left,
                                  "y_min", G_TYPE_DOUBLE, &top, "x_max", G_TYPE_DOUBLE, &right,
                                  "y_max", G_TYPE_DOUBLE, &bottom, nullptr));
    object.box.confidence = static_cast<float>(confidence);
    object.box.left = static_cast<float>(left * width);
    object.box.top = static_cast<float>(top * height);
    object.box.width = static_cast<float>((right - left) * width);
    object.box.height = static_cast<float>((bottom - top) * height);
    if (const auto* tracking = gst_video_region_of_interest_meta_get_param(region, "tracking")) {
      EXPECT_TRUE(gst_structure_get(tracking, "id", G_TYPE_UINT64, &object.id,
                                    "frames_since_detection", G_TYPE_UINT,
                                    &object.frames_since_detection, nullptr));
    }
    objects.push_back(object);
  }
  return objects;
}

}  // namespace sightline::test
