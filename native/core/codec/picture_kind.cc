#include "core/codec/picture_kind.h"

namespace sightline {
namespace {

constexpr size_t kAvcLengthAt = 4;    // ISO/IEC 14496-15, 5.3.3.1: lengthSizeMinusOne
constexpr size_t kHevcLengthAt = 21;  // ISO/IEC 14496-15, 8.3.3.1

enum class Nal { kOther, kReference, kNonReference };

Nal KindOf(VideoCodec codec, uint8_t header) {
  if (codec == VideoCodec::kH264) {
    const int type = header & 0x1f;
    if (type < 1 || type > 5) return Nal::kOther;
    return (header & 0x60) == 0 ? Nal::kNonReference : Nal::kReference;
  }
  const int type = (header >> 1) & 0x3f;
  if (type > 31) return Nal::kOther;
  return type < 16 && type % 2 == 0 ? Nal::kNonReference : Nal::kReference;
}

// The position behind the next start code at or after `at`; `size` when there is none.
size_t BehindStartCode(const uint8_t* data, size_t size, size_t at) {
  for (; at + 3 < size; ++at) {
    if (data[at] == 0 && data[at + 1] == 0 && data[at + 2] == 1) return at + 3;
  }
  return size;
}

Nal FirstSliceByStartCode(VideoCodec codec, const uint8_t* data, size_t size) {
  for (size_t at = BehindStartCode(data, size, 0); at < size;
       at = BehindStartCode(data, size, at)) {
    const Nal kind = KindOf(codec, data[at]);
    if (kind != Nal::kOther) return kind;
  }
  return Nal::kOther;
}

Nal FirstSliceByLength(VideoCodec codec, const uint8_t* data, size_t size, size_t length_bytes) {
  size_t at = 0;
  while (size - at > length_bytes) {
    size_t length = 0;
    for (size_t i = 0; i < length_bytes; ++i) length = length << 8 | data[at + i];
    at += length_bytes;
    if (length == 0 || length > size - at) return Nal::kOther;
    const Nal kind = KindOf(codec, data[at]);
    if (kind != Nal::kOther) return kind;
    at += length;
  }
  return Nal::kOther;
}

}  // namespace

bool IsNonReference(VideoCodec codec, const uint8_t* data, size_t size, int length_bytes) {
  if (codec == VideoCodec::kOther) return false;
  const Nal kind = length_bytes == 0
                       ? FirstSliceByStartCode(codec, data, size)
                       : FirstSliceByLength(codec, data, size, static_cast<size_t>(length_bytes));
  return kind == Nal::kNonReference;
}

int NalLengthBytes(VideoCodec codec, const uint8_t* codec_data, size_t size) {
  const size_t at = codec == VideoCodec::kH264 ? kAvcLengthAt : kHevcLengthAt;
  return codec == VideoCodec::kOther || size <= at ? 0 : (codec_data[at] & 3) + 1;
}

}  // namespace sightline
