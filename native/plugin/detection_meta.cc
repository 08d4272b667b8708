#include "plugin/detection_meta.h"

#include <algorithm>
#include <cmath>

namespace {

constexpr char kDetection[] = "detection";
constexpr char kTracking[] = "tracking";

guint ToPixel(double value, int limit) {
  return static_cast<guint>(std::clamp(std::round(value), 0.0, static_cast<double>(limit)));
}

GstStructure* DetectionStructure(const SlObject& object, double width, double height) {
  const sightline::Detection& box = object.detection;
  GstStructure* structure = gst_structure_new(
      kDetection, "label_id", G_TYPE_INT, box.class_id, "confidence", G_TYPE_DOUBLE,
      static_cast<double>(box.confidence), "x_min", G_TYPE_DOUBLE, box.left / width, "y_min",
      G_TYPE_DOUBLE, box.top / height, "x_max", G_TYPE_DOUBLE,
      (static_cast<double>(box.left) + box.width) / width, "y_max", G_TYPE_DOUBLE,
      (static_cast<double>(box.top) + box.height) / height, nullptr);
  if (object.component != 0) {
    gst_structure_set(structure, "component", G_TYPE_UINT, object.component, nullptr);
  }
  return structure;
}

// The exact box where the structure has one; elements of other makers may leave out any part.
void ReadDetection(GstVideoRegionOfInterestMeta* region, double width, double height,
                   SlObject* object) {
  sightline::Detection* detection = &object->detection;
  detection->left = static_cast<float>(region->x);
  detection->top = static_cast<float>(region->y);
  detection->width = static_cast<float>(region->w);
  detection->height = static_cast<float>(region->h);
  const GstStructure* exact = gst_video_region_of_interest_meta_get_param(region, kDetection);
  if (exact == nullptr) return;

  double confidence = 0;
  if (gst_structure_get_double(exact, "confidence", &confidence)) {
    detection->confidence = static_cast<float>(confidence);
  }
  gst_structure_get_int(exact, "label_id", &detection->class_id);
  gst_structure_get_uint(exact, "component", &object->component);
  double x_min = 0, y_min = 0, x_max = 0, y_max = 0;
  if (gst_structure_get(exact, "x_min", G_TYPE_DOUBLE, &x_min, "y_min", G_TYPE_DOUBLE, &y_min,
                        "x_max", G_TYPE_DOUBLE, &x_max, "y_max", G_TYPE_DOUBLE, &y_max, nullptr)) {
    detection->left = static_cast<float>(x_min * width);
    detection->top = static_cast<float>(y_min * height);
    detection->width = static_cast<float>((x_max - x_min) * width);
    detection->height = static_cast<float>((y_max - y_min) * height);
  }
}

void ReadTracking(GstVideoRegionOfInterestMeta* region, SlObject* object) {
  const GstStructure* tracking = gst_video_region_of_interest_meta_get_param(region, kTracking);
  if (tracking == nullptr) return;
  object->tracked = gst_structure_get_uint64(tracking, "id", &object->track_id);
  gst_structure_get_uint(tracking, "frames_since_detection", &object->frames_since_detection);
}

}  // namespace

void SlAddObject(GstBuffer* buffer, const SlObject& object, int frame_width, int frame_height) {
  const sightline::Detection& box = object.detection;
  const guint left = ToPixel(box.left, frame_width);
  const guint top = ToPixel(box.top, frame_height);
  const guint right = ToPixel(static_cast<double>(box.left) + box.width, frame_width);
  const guint bottom = ToPixel(static_cast<double>(box.top) + box.height, frame_height);
  GstVideoRegionOfInterestMeta* region = gst_buffer_add_video_region_of_interest_meta_id(
      buffer, object.label, left, top, right - left, bottom - top);
  gst_video_region_of_interest_meta_add_param(
      region, DetectionStructure(object, frame_width, frame_height));
  if (!object.tracked) return;
  gst_video_region_of_interest_meta_add_param(
      region,
      gst_structure_new(kTracking, "id", G_TYPE_UINT64, object.track_id, "frames_since_detection",
                        G_TYPE_UINT, object.frames_since_detection, nullptr));
}

void SlForEachObject(GstBuffer* buffer, int frame_width, int frame_height,
                     const std::function<void(const SlObject&)>& visit) {
  gpointer state = nullptr;
  while (GstMeta* meta = gst_buffer_iterate_meta_filtered(
             buffer, &state, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    SlObject object;
    object.region = region;
    object.label = region->roi_type;
    ReadDetection(region, frame_width, frame_height, &object);
    ReadTracking(region, &object);
    visit(object);
  }
}

void SlRemoveObjects(GstBuffer* buffer) {
  const auto remove_region = [](GstBuffer*, GstMeta** meta, gpointer) -> gboolean {
    if ((*meta)->info->api == GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) *meta = nullptr;
    return TRUE;
  };
  gst_buffer_foreach_meta(buffer, remove_region, nullptr);
}
