#include "camera/garbage.h"

#include <random>

#include "camera/nal.h"

namespace sightline::camera {

namespace {

/** More than the headers of slices take. */
constexpr std::size_t kSliceHeader = 16;

/** Bytes above 3 only: noise must not look like a start code (00 00 01) or need escaping (00 00
 * 03). */
std::uniform_int_distribution<int> Noise() { return std::uniform_int_distribution<int>(4, 255); }

/** A copy whose NAL units `fill` may overwrite: it is given each as it was, and where the copy's
 * lies. */
template <typename Fill>
std::shared_ptr<const AccessUnit> Copied(const AccessUnit& unit, Fill fill) {
  auto copy = std::make_shared<AccessUnit>();
  copy->is_key = unit.is_key;
  copy->bytes = unit.bytes;
  for (const Bytes nal : unit.nals) {
    std::uint8_t* own = copy->bytes.data() + (nal.data - unit.bytes.data());
    copy->nals.push_back({own, nal.size});
    fill(nal, own);
  }
  return copy;
}

}  // namespace

std::shared_ptr<const AccessUnit> Scrambled(Codec codec, const AccessUnit& unit,
                                            std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto noise = Noise();
  return Copied(unit, [&](Bytes nal, std::uint8_t* own) {
    const std::size_t header = NalHeaderSize(codec);
    const bool is_parameters = KindOf(codec, nal) == NalKind::kParameters;
    for (std::size_t at = header; at < nal.size; ++at) {
      // Random parameter sets are valid ones now and then, and a decoder makes a picture of what
      // follows. These name an H.264 sequence by number 62 (bits 0000 0111 1111), where 31 is the
      // last.
      const std::uint8_t never = (at - header) % 2 == 0 ? 0xff : 0x07;
      own[at] = is_parameters ? never : static_cast<std::uint8_t>(noise(random));
    }
  });
}

std::shared_ptr<const AccessUnit> Damaged(Codec codec, const AccessUnit& unit, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto noise = Noise();
  return Copied(unit, [&](Bytes nal, std::uint8_t* own) {
    const NalKind kind = KindOf(codec, nal);
    if (kind != NalKind::kPicture && kind != NalKind::kKeyPicture) return;
    for (std::size_t at = kSliceHeader; at < nal.size; ++at) {
      own[at] = static_cast<std::uint8_t>(noise(random));
    }
  });
}

}  // namespace sightline::camera
