#pragma once

#include <gst/gst.h>

#include <cstddef>
#include <cstdint>

namespace sightline::addon {

// One buffer on its way out, mapped for reading. Holds the buffer's reference: nothing is copied.
class Record {
 public:
  // Takes over the reference. `source` is the index of the output node in its graph's outputs.
  Record(GstBuffer* buffer, uint32_t kind, uint32_t source);
  Record(Record&& other) noexcept;
  Record& operator=(Record&& other) noexcept;
  Record(const Record&) = delete;
  Record& operator=(const Record&) = delete;
  ~Record();

  const uint8_t* data() const { return map_.data; }
  size_t size() const { return map_.size; }
  uint32_t kind() const { return kind_; }
  uint32_t source() const { return source_; }

 private:
  void Release();

  GstBuffer* buffer_;
  GstMapInfo map_ = GST_MAP_INFO_INIT;
  uint32_t kind_;
  uint32_t source_;
};

}  // namespace sightline::addon
