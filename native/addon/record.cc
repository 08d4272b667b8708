#include "addon/record.h"

#include <stdexcept>
#include <utility>

namespace sightline::addon {

Record::Record(GstBuffer* buffer, uint32_t kind, uint32_t source)
    : buffer_(buffer), kind_(kind), source_(source) {
  if (!gst_buffer_map(buffer_, &map_, GST_MAP_READ)) {
    gst_buffer_unref(buffer_);
    throw std::runtime_error("An output buffer cannot be mapped for reading");
  }
}

Record::Record(Record&& other) noexcept
    : buffer_(std::exchange(other.buffer_, nullptr)),
      map_(other.map_),
      kind_(other.kind_),
      source_(other.source_) {}

Record& Record::operator=(Record&& other) noexcept {
  if (this != &other) {
    Release();
    buffer_ = std::exchange(other.buffer_, nullptr);
    map_ = other.map_;
    kind_ = other.kind_;
    source_ = other.source_;
  }
  return *this;
}

Record::~Record() { Release(); }

void Record::Release() {
  if (buffer_ == nullptr) return;
  gst_buffer_unmap(buffer_, &map_);
  gst_buffer_unref(std::exchange(buffer_, nullptr));
}

}  // namespace sightline::addon
