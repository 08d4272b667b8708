#pragma once

#include <gst/gst.h>

#include <memory>

#include "tests/stand-in/nvdsgst_meta.h"
#include "tests/support/ds_batch.h"

// Batches on buffers, as the stand-in elements hand them on.
namespace sightline::standin {

// The batch on a buffer that our muxer made, or null.
inline test::DsBatch* BatchOf(GstBuffer* buffer) {
  const GstMeta* meta = gst_buffer_get_meta(buffer, nvds_meta_api_get_type());
  if (meta == nullptr) return nullptr;
  return static_cast<test::DsBatch*>(reinterpret_cast<const nvds::NvDsMeta*>(meta)->user_data);
}

inline void Attach(GstBuffer* buffer, std::unique_ptr<test::DsBatch> batch) {
  nvds::NvDsBatchMeta* meta = batch->get();
  gst_buffer_add_nvds_meta(buffer, meta, batch.release(), nullptr,
                           [](gpointer, gpointer own) { delete static_cast<test::DsBatch*>(own); });
}

// Calls `visit(NvDsFrameMeta*)` for each frame of the batch, in their order.
template <class Visit>
void ForEachFrame(test::DsBatch* batch, Visit&& visit) {
  if (batch == nullptr) return;
  for (GList* it = batch->get()->frame_meta_list; it != nullptr; it = it->next) {
    visit(static_cast<nvds::NvDsFrameMeta*>(it->data));
  }
}

}  // namespace sightline::standin
