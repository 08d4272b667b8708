#include "camera/nal.h"

#include <cstring>

namespace sightline::camera {
namespace {

NalKind KindOfH264(Bytes nal) {
  switch (nal.data[0] & 0x1f) {
    case 5:
      return NalKind::kKeyPicture;
    case 1:
    case 2:
    case 3:
    case 4:
      return NalKind::kPicture;
    case 7:
    case 8:
      return NalKind::kParameters;
    case 9:
      return NalKind::kDelimiter;
    default:
      return NalKind::kOther;
  }
}

NalKind KindOfH265(Bytes nal) {
  const int type = (nal.data[0] >> 1) & 0x3f;
  if (type >= 16 && type <= 23) return NalKind::kKeyPicture;
  if (type < 32) return NalKind::kPicture;
  if (type <= 34) return NalKind::kParameters;
  return type == 35 ? NalKind::kDelimiter : NalKind::kOther;
}

/** Offset of the next 00 00 01 from `at` on; the size where there is none. */
std::size_t NextStartCode(Bytes stream, std::size_t at) {
  while (at + 3 <= stream.size) {
    const void* zero = std::memchr(stream.data + at, 0, stream.size - at - 2);
    if (zero == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(zero) - stream.data);
    if (stream.data[at + 1] == 0 && stream.data[at + 2] == 1) return at;
    ++at;
  }
  return stream.size;
}

}  // namespace

NalKind KindOf(Codec codec, Bytes nal) {
  if (nal.size < NalHeaderSize(codec)) return NalKind::kOther;
  return codec == Codec::kH264 ? KindOfH264(nal) : KindOfH265(nal);
}

std::vector<Bytes> SplitNals(Bytes stream) {
  std::vector<Bytes> nals;
  std::size_t code = NextStartCode(stream, 0);
  while (code < stream.size) {
    const std::size_t from = code + 3;
    code = NextStartCode(stream, from);
    std::size_t end = code;
    while (end > from && stream.data[end - 1] == 0) --end;
    if (end > from) nals.push_back({stream.data + from, end - from});
  }
  return nals;
}

}  // namespace sightline::camera
