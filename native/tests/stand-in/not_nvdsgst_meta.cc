// Half of a DeepStream: this function is there, those of the other library are not.
extern "C" __attribute__((visibility("default"))) void* gst_buffer_get_nvds_batch_meta(void*) {
  return nullptr;
}
