#include "tests/stand-in/nvds_meta.h"

#include <atomic>

#include "deepstream/abi/meta.h"

// Stands in for libnvds_meta.so: the two functions that sldsmeta needs of it.

using sightline::nvds::NvDsBatchMeta;

namespace {
std::atomic<int> depth{0};
std::atomic<unsigned> count{0};
}  // namespace

extern "C" {

__attribute__((visibility("default"))) void nvds_acquire_meta_lock(NvDsBatchMeta* batch) {
  g_rec_mutex_lock(&batch->meta_mutex);
  ++depth;
  ++count;
}

__attribute__((visibility("default"))) void nvds_release_meta_lock(NvDsBatchMeta* batch) {
  --depth;
  g_rec_mutex_unlock(&batch->meta_mutex);
}

__attribute__((visibility("default"))) int stand_in_lock_depth() { return depth; }

__attribute__((visibility("default"))) unsigned stand_in_lock_count() { return count; }
}
