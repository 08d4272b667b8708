#include "plugin/frame_meta.h"

namespace {

constexpr char kApiName[] = "SlFrameMetaAPI";
constexpr char kMetaName[] = "SlFrameMeta";

void Clear(SlFrameMeta* frame) {
  const GstMeta header = frame->meta;
  *frame = SlFrameMeta{};
  frame->meta = header;
  frame->sequence = SL_NO_SEQUENCE;
}

gboolean Init(GstMeta* meta, gpointer, GstBuffer*) {
  Clear(reinterpret_cast<SlFrameMeta*>(meta));
  return TRUE;
}

// A picture that came in several packets meets one meta per packet: the frame was received when the
// first of them was.
void Merge(SlFrameMeta* into, const SlFrameMeta& from) {
  if (from.receive_ns == 0) return;
  if (into->receive_ns == 0 || from.receive_ns < into->receive_ns) {
    into->receive_ns = from.receive_ns;
    into->capture_unix_ns = from.capture_unix_ns;
    into->capture_clock = from.capture_clock;
  }
}

// Every transformation keeps the frame's history: scaling, converting or coding a picture does not
// change when it was captured.
gboolean Transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark, gpointer) {
  const auto& from = *reinterpret_cast<const SlFrameMeta*>(meta);
  if (SlFrameMeta* present = SlFrameMetaGet(to)) {
    Merge(present, from);
    return TRUE;
  }
  SlFrameMeta* copy = SlFrameMetaEnsure(to);
  if (copy == nullptr) return FALSE;
  const GstMeta header = copy->meta;
  *copy = from;
  copy->meta = header;
  return TRUE;
}

GType RegisterApi() {
  // Another copy of this code in the process (the plugin beside a test that links it) may have been
  // first; a type name exists once.
  if (const GType known = g_type_from_name(kApiName)) return known;
  static const gchar* no_tags[] = {nullptr};
  return gst_meta_api_type_register(kApiName, no_tags);
}

const GstMetaInfo* RegisterInfo() {
  if (const GstMetaInfo* known = gst_meta_get_info(kMetaName)) return known;
  return gst_meta_register(SlFrameMetaApiGetType(), kMetaName, sizeof(SlFrameMeta), Init, nullptr,
                           Transform);
}

}  // namespace

GType SlFrameMetaApiGetType() {
  static const GType type = RegisterApi();
  return type;
}

const GstMetaInfo* SlFrameMetaGetInfo() {
  static const GstMetaInfo* const info = RegisterInfo();
  return info;
}

SlFrameMeta* SlFrameMetaGet(GstBuffer* buffer) {
  return reinterpret_cast<SlFrameMeta*>(gst_buffer_get_meta(buffer, SlFrameMetaApiGetType()));
}

SlFrameMeta* SlFrameMetaEnsure(GstBuffer* buffer) {
  if (SlFrameMeta* present = SlFrameMetaGet(buffer)) return present;
  return reinterpret_cast<SlFrameMeta*>(gst_buffer_add_meta(buffer, SlFrameMetaGetInfo(), nullptr));
}
