#include "tests/stand-in/nvdsgst_meta.h"

#include "deepstream/abi/gst_meta.h"

// Stands in for libnvdsgst_meta.so: a GstMeta with the API name and the tag of the original, so
// that elements treat it alike (above all: encoders do not pass it on).

using sightline::nvds::NvDsBatchMeta;
using sightline::nvds::NvDsMeta;

namespace {

constexpr char kTag[] = "nvdsmeta";

gboolean Init(GstMeta* meta, gpointer, GstBuffer*) {
  const GstMeta header = *meta;
  *reinterpret_cast<NvDsMeta*>(meta) = NvDsMeta{};
  *meta = header;
  return TRUE;
}

void Free(GstMeta* meta, GstBuffer*) {
  auto* held = reinterpret_cast<NvDsMeta*>(meta);
  if (held->freefunc != nullptr) held->freefunc(held->meta_data, held->user_data);
}

// A plain copy of a buffer takes a copy of the batch along; any other transformation nothing.
gboolean Transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark type, gpointer) {
  auto* held = reinterpret_cast<NvDsMeta*>(meta);
  if (!GST_META_TRANSFORM_IS_COPY(type) || held->copyfunc == nullptr) return TRUE;
  gpointer copy = held->copyfunc(held->meta_data, held->user_data);
  return gst_buffer_add_nvds_meta(to, copy, held->user_data, held->copyfunc, held->freefunc) !=
         nullptr;
}

}  // namespace

extern "C" {

GType nvds_meta_api_get_type() {
  static const gchar* tags[] = {kTag, nullptr};
  static const GType type = gst_meta_api_type_register("NvDsMetaAPI", tags);
  return type;
}

const GstMetaInfo* nvds_meta_get_info() {
  static const GstMetaInfo* const info = gst_meta_register(nvds_meta_api_get_type(), "NvDsMeta",
                                                           sizeof(NvDsMeta), Init, Free, Transform);
  return info;
}

NvDsMeta* gst_buffer_add_nvds_meta(GstBuffer* buffer, gpointer data, gpointer user_data,
                                   gpointer (*copy)(gpointer, gpointer),
                                   void (*release)(gpointer, gpointer)) {
  auto* meta =
      reinterpret_cast<NvDsMeta*>(gst_buffer_add_meta(buffer, nvds_meta_get_info(), nullptr));
  if (meta == nullptr) return nullptr;
  meta->meta_data = data;
  meta->user_data = user_data;
  meta->meta_type = sightline::nvds::NVDS_BATCH_GST_META;
  meta->copyfunc = copy;
  meta->freefunc = release;
  return meta;
}

NvDsBatchMeta* gst_buffer_get_nvds_batch_meta(GstBuffer* buffer) {
  const GstMeta* meta = gst_buffer_get_meta(buffer, nvds_meta_api_get_type());
  if (meta == nullptr) return nullptr;
  return static_cast<NvDsBatchMeta*>(reinterpret_cast<const NvDsMeta*>(meta)->meta_data);
}
}
