#pragma once

#include <gst/gst.h>

#include <cstring>
#include <memory>
#include <utility>

#include "tests/stand-in/nvdsgst_meta.h"
#include "tests/support/ds_batch.h"

// Batches on buffers, as the stand-in elements hand them on.
namespace sightline::standin {

// Who made this batch; copies of the GstMeta keep nothing but the batch itself.
inline test::DsBatch* MakerOf(gpointer batch) {
  return static_cast<test::DsBatch*>(static_cast<nvds::NvDsBatchMeta*>(batch)->base_meta.uContext);
}

// The batch on a buffer that our muxer made, or null.
inline test::DsBatch* BatchOf(GstBuffer* buffer) {
  nvds::NvDsBatchMeta* batch = gst_buffer_get_nvds_batch_meta(buffer);
  return batch == nullptr ? nullptr : MakerOf(batch);
}

// Calls `visit(NvDsFrameMeta*)` for each frame of the batch, in their order.
template <class Visit>
void ForEachFrame(test::DsBatch* batch, Visit&& visit) {
  if (batch == nullptr) return;
  for (GList* it = batch->get()->frame_meta_list; it != nullptr; it = it->next) {
    visit(static_cast<nvds::NvDsFrameMeta*>(it->data));
  }
}

// As nvds_copy_frame_meta() does: with what others wrote into the frame, and without its size.
inline void CopyFrame(const nvds::NvDsFrameMeta& frame, test::DsBatch* batch) {
  auto* copy = batch->AddFrame(frame.pad_index, frame.frame_num, frame.buf_pts);
  copy->ntp_timestamp = frame.ntp_timestamp;
  copy->source_frame_width = frame.source_frame_width;
  copy->source_frame_height = frame.source_frame_height;
  copy->bInferDone = frame.bInferDone;
  std::memcpy(copy->misc_frame_info, frame.misc_frame_info, sizeof copy->misc_frame_info);
}

inline gpointer Released(std::unique_ptr<test::DsBatch> batch) {
  nvds::NvDsBatchMeta* meta = batch->get();
  meta->base_meta.uContext = batch.release();
  return meta;
}

// The batch goes with its buffer, and a copy of it with a copy of the buffer.
inline void Attach(GstBuffer* buffer, std::unique_ptr<test::DsBatch> batch) {
  const auto copy = [](gpointer data, gpointer) -> gpointer {
    auto clone = std::make_unique<test::DsBatch>();
    ForEachFrame(MakerOf(data),
                 [&](nvds::NvDsFrameMeta* frame) { CopyFrame(*frame, clone.get()); });
    return Released(std::move(clone));
  };
  gst_buffer_add_nvds_meta(buffer, Released(std::move(batch)), nullptr, copy,
                           [](gpointer data, gpointer) { delete MakerOf(data); });
}

}  // namespace sightline::standin
