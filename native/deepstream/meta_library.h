#pragma once

#include <gst/gst.h>

#include <string>

#include "deepstream/abi/meta.h"

// The functions of NVIDIA's two metadata libraries that reading a batch takes. They are looked up
// when an element starts, never linked: the same plugin serves machines without DeepStream.
struct MetaLibrary {
  // The batch on a buffer, or null.
  sightline::nvds::NvDsBatchMeta* (*batch_of)(GstBuffer* buffer) = nullptr;
  void (*lock)(sightline::nvds::NvDsBatchMeta* batch) = nullptr;
  void (*unlock)(sightline::nvds::NvDsBatchMeta* batch) = nullptr;
};

// Takes them from what the process has loaded, else from the loader's search path, else from
// `folder` (empty: SIGHTLINE_DEEPSTREAM_LIBDIR, else DeepStream's own). They stay loaded, for
// GStreamer's types cannot be taken back. Throws sightline::Error: kNotFound without the libraries,
// kLibrary when they lack a function.
const MetaLibrary& LoadMetaLibrary(const std::string& folder);

// Holds a batch's lock; elements and branches on other threads wait.
class BatchLock {
 public:
  BatchLock(const MetaLibrary& library, sightline::nvds::NvDsBatchMeta* batch)
      : library_(library), batch_(batch) {
    library_.lock(batch_);
  }
  ~BatchLock() { library_.unlock(batch_); }
  BatchLock(const BatchLock&) = delete;
  BatchLock& operator=(const BatchLock&) = delete;

 private:
  const MetaLibrary& library_;
  sightline::nvds::NvDsBatchMeta* batch_;
};
