#pragma once

#include <gst/gst.h>

#include "deepstream/abi/gst_meta.h"
#include "deepstream/abi/meta.h"

#ifndef SIGHTLINE_NVIDIA_HEADERS
extern "C" {
__attribute__((visibility("default"))) GType nvds_meta_api_get_type();
__attribute__((visibility("default"))) const GstMetaInfo* nvds_meta_get_info();
__attribute__((visibility("default"))) sightline::nvds::NvDsMeta* gst_buffer_add_nvds_meta(
    GstBuffer* buffer, gpointer data, gpointer user_data, gpointer (*copy)(gpointer, gpointer),
    void (*release)(gpointer, gpointer));
__attribute__((visibility("default"))) sightline::nvds::NvDsBatchMeta*
gst_buffer_get_nvds_batch_meta(GstBuffer* buffer);
}
#endif
