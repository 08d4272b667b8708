#include "plugin/latency_event.h"

#include "plugin/frame_meta.h"
#include "plugin/metadata_filter.h"

namespace {

constexpr char kName[] = "SlLatencyReport";

// Time of the pipeline's clock since the frame's running time; none where one of them is unknown.
std::optional<guint64> ClockAge(GstBaseTransform* element, GstBuffer* buffer) {
  const GstClockTime due =
      gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (!GST_CLOCK_TIME_IS_VALID(due)) return std::nullopt;
  GstClock* clock = gst_element_get_clock(GST_ELEMENT(element));
  if (clock == nullptr) return std::nullopt;
  const GstClockTime now = gst_clock_get_time(clock);
  gst_object_unref(clock);
  const GstClockTime start = gst_element_get_base_time(GST_ELEMENT(element));
  return now > start + due ? now - start - due : 0;
}

}  // namespace

void SlSendLatencyReport(GstBaseTransform* element, const SlLatencyReport& report) {
  GstStructure* structure =
      gst_structure_new(kName, "drop", G_TYPE_INT, static_cast<gint>(report.drop), "budget-ns",
                        G_TYPE_UINT64, report.budget_ns, "sequence", G_TYPE_UINT64, report.sequence,
                        "late", G_TYPE_BOOLEAN, static_cast<gboolean>(report.late), nullptr);
  gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(element),
                     gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure));
}

std::optional<SlLatencyReport> SlReadLatencyReport(GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_UPSTREAM) return std::nullopt;
  if (!gst_event_has_name(event, kName)) return std::nullopt;
  SlLatencyReport report;
  gint drop = 0;
  gboolean late = FALSE;
  gst_structure_get(gst_event_get_structure(event), "drop", G_TYPE_INT, &drop, "budget-ns",
                    G_TYPE_UINT64, &report.budget_ns, "sequence", G_TYPE_UINT64, &report.sequence,
                    "late", G_TYPE_BOOLEAN, &late, nullptr);
  report.drop = static_cast<SlLatencyDrop>(drop);
  report.late = late != FALSE;
  return report;
}

guint64 SlFrameAgeNs(GstBaseTransform* element, GstBuffer* buffer) {
  if (const auto age = ClockAge(element, buffer)) return *age;
  const SlFrameMeta* frame = SlFrameMetaGet(buffer);
  if (frame == nullptr || frame->receive_ns == 0) return 0;
  const guint64 now = SlMonotonicNs();
  return now > frame->receive_ns ? now - frame->receive_ns : 0;
}
