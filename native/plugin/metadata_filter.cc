#include "plugin/metadata_filter.h"

namespace {

gboolean ProposeAllocation(GstBaseTransform* base, GstQuery*, GstQuery* query) {
  return gst_pad_peer_query(GST_BASE_TRANSFORM_SRC_PAD(base), query);
}

void AddPad(GstElementClass* element_class, const char* name, GstPadDirection direction,
            const char* text) {
  GstCaps* caps = gst_caps_from_string(text);
  gst_element_class_add_pad_template(element_class,
                                     gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
}

}  // namespace

guint64 SlMonotonicNs() { return static_cast<guint64>(g_get_monotonic_time()) * 1000; }

guint64 SlUnixNs() { return static_cast<guint64>(g_get_real_time()) * 1000; }

bool SlIsLive(GstBaseTransform* element) {
  GstQuery* query = gst_query_new_latency();
  gboolean live = TRUE;
  if (gst_pad_peer_query(GST_BASE_TRANSFORM_SINK_PAD(element), query)) {
    gst_query_parse_latency(query, &live, nullptr, nullptr);
  }
  gst_query_unref(query);
  return live != FALSE;
}

void SlAddPads(GstElementClass* element_class, const char* sink_caps, const char* src_caps) {
  AddPad(element_class, "sink", GST_PAD_SINK, sink_caps);
  AddPad(element_class, "src", GST_PAD_SRC, src_caps);
}

void SlPassAllocation(GstBaseTransformClass* transform_class) {
  transform_class->propose_allocation = ProposeAllocation;
}
