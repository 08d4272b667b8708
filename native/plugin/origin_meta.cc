#include "plugin/origin_meta.h"

#include <utility>

namespace {

constexpr char kApiName[] = "SlFrameOriginMetaAPI";
constexpr char kMetaName[] = "SlFrameOriginMeta";

using Shared = std::shared_ptr<const SlFrameOrigin>;

struct SlOriginMeta {
  GstMeta meta;
  Shared* origin;
};

const GstMetaInfo* Info();

gboolean Init(GstMeta* meta, gpointer, GstBuffer*) {
  reinterpret_cast<SlOriginMeta*>(meta)->origin = new Shared();
  return TRUE;
}

void Free(GstMeta* meta, GstBuffer*) { delete reinterpret_cast<SlOriginMeta*>(meta)->origin; }

SlOriginMeta* Get(GstBuffer* buffer) {
  return reinterpret_cast<SlOriginMeta*>(gst_buffer_get_meta(buffer, Info()->api));
}

// Whatever is done to a picture does not change whose it is.
gboolean Transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark, gpointer) {
  if (Get(to) == nullptr) {
    SlFrameOriginAdd(to, *reinterpret_cast<SlOriginMeta*>(meta)->origin);
  }
  return TRUE;
}

const GstMetaInfo* Register() {
  // Another copy of this code in the process may have been first; a type name exists once.
  if (const GstMetaInfo* known = gst_meta_get_info(kMetaName)) return known;
  static const gchar* no_tags[] = {nullptr};
  const GType known = g_type_from_name(kApiName);
  const GType api = known != 0 ? known : gst_meta_api_type_register(kApiName, no_tags);
  return gst_meta_register(api, kMetaName, sizeof(SlOriginMeta), Init, Free, Transform);
}

const GstMetaInfo* Info() {
  static const GstMetaInfo* const info = Register();
  return info;
}

}  // namespace

const SlFrameOrigin* SlFrameOriginGet(GstBuffer* buffer) {
  const SlOriginMeta* meta = Get(buffer);
  return meta != nullptr ? meta->origin->get() : nullptr;
}

void SlFrameOriginAdd(GstBuffer* buffer, Shared origin) {
  auto* meta = reinterpret_cast<SlOriginMeta*>(gst_buffer_add_meta(buffer, Info(), nullptr));
  *meta->origin = std::move(origin);
}
