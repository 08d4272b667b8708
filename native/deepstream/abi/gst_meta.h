#pragma once

#include <gst/gst.h>

// DeepStream 9.x: how a batch hangs on a GstBuffer. Read through NVIDIA's own
// gst_buffer_get_nvds_batch_meta(); declared for the comparison and for the tests' stand-in. See
// meta.h.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <gstnvdsmeta.h>

namespace sightline::nvds {
using ::NVDS_BATCH_GST_META;
using ::NvDsMeta;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

enum GstNvDsMetaType : int { NVDS_BATCH_GST_META = 4097 };

// The metadata's API type is registered as "NvDsMetaAPI" with the tag "nvdsmeta".
struct NvDsMeta {
  GstMeta meta;
  gpointer meta_data;  // NvDsBatchMeta
  gpointer user_data;
  gint meta_type;  // NVDS_BATCH_GST_META
  gpointer (*copyfunc)(gpointer, gpointer);
  void (*freefunc)(gpointer, gpointer);
  gpointer (*gst_to_nvds_meta_transform_func)(gpointer, gpointer);
  void (*gst_to_nvds_meta_release_func)(gpointer, gpointer);
};

}  // namespace sightline::nvds

#endif
