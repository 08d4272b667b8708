#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sightline::camera {

enum class Codec { kH264, kH265 };

/** Bytes that belong to somebody else. */
struct Bytes {
  const std::uint8_t* data = nullptr;
  std::size_t size = 0;
};

/** What a NAL unit is to a camera; everything it need not tell apart is
 * `kOther`. */
enum class NalKind { kPicture, kKeyPicture, kParameters, kDelimiter, kOther };

/** Size of a NAL unit's header in bytes. */
constexpr std::size_t NalHeaderSize(Codec codec) { return codec == Codec::kH264 ? 1 : 2; }

/** Kind of a NAL unit (H.264: Table 7-1; H.265: Table 7-1 of its own). */
NalKind KindOf(Codec codec, Bytes nal);

/** The NAL units of a byte stream (Annex B), without start codes and trailing
 * zeros. */
std::vector<Bytes> SplitNals(Bytes stream);

}  // namespace sightline::camera
