#include "plugin/frame_report.h"

#include <algorithm>
#include <utility>

#include "plugin/analytics_meta.h"
#include "plugin/classification_meta.h"
#include "plugin/detection_meta.h"

namespace {

std::string_view TextOf(GQuark quark) {
  const gchar* text = g_quark_to_string(quark);
  return text != nullptr ? text : "";
}

// Time between two moments; 0 where one of them is unknown.
guint64 Between(guint64 from_ns, guint64 to_ns) {
  return from_ns != 0 && to_ns > from_ns ? to_ns - from_ns : 0;
}

void Clip(int width, int height, sightline::Detection* box) {
  const float right = std::min(box->left + box->width, static_cast<float>(width));
  const float bottom = std::min(box->top + box->height, static_cast<float>(height));
  box->left = std::max(box->left, 0.0F);
  box->top = std::max(box->top, 0.0F);
  box->width = right - box->left;
  box->height = bottom - box->top;
}

}  // namespace

void SlReportFrame(const SlFrameMeta& frame, guint64 now_ns, sightline::FrameMessage* message) {
  message->model_name = TextOf(frame.model_name);
  message->model_version = TextOf(frame.model_version);
  message->execution_provider = TextOf(frame.execution_provider);
  message->tracker = TextOf(frame.tracker);
  message->inferred = frame.inferred != FALSE;
  message->image = frame.image != FALSE;
  message->latency.decode_ns = Between(frame.receive_ns, frame.decode_end_ns);
  message->latency.queue_ns = Between(frame.decode_end_ns, frame.infer_start_ns);
  message->latency.infer_ns = Between(frame.infer_start_ns, frame.infer_end_ns);
  message->latency.track_ns = Between(frame.infer_end_ns, frame.track_end_ns);
  message->latency.total_ns = Between(frame.receive_ns, now_ns);
}

void SlReportObjects(GstBuffer* buffer, int width, int height, sightline::FrameMessage* message) {
  message->objects.clear();
  SlForEachObject(buffer, width, height, [&](const SlObject& object) {
    sightline::FrameObject report;
    report.detection = object.detection;
    Clip(width, height, &report.detection);
    if (report.detection.width <= 0 || report.detection.height <= 0) return;
    report.label = TextOf(object.label);
    report.tracked = object.tracked;
    report.track_id = object.track_id;
    report.frames_since_detection = object.frames_since_detection;
    report.component = object.component;
    SlReadClassifications(object.region, &report.classifications);
    SlReadObjectAnalytics(object.region, &report.analytics);
    message->objects.push_back(std::move(report));
  });
  SlReadFrameAnalytics(buffer, &message->analytics);
}
