#include "camera/garbage.h"

#include <random>

namespace sightline::camera {

std::shared_ptr<const AccessUnit> Scrambled(Codec codec, const AccessUnit& unit,
                                            std::uint64_t seed) {
  auto copy = std::make_shared<AccessUnit>();
  copy->is_key = unit.is_key;
  copy->bytes = unit.bytes;
  std::mt19937_64 random(seed);
  // Bytes above 3 only: noise must not look like a start code (00 00 01) or
  // need escaping (00 00 03).
  std::uniform_int_distribution<int> noise(4, 255);
  for (const Bytes nal : unit.nals) {
    std::uint8_t* own = copy->bytes.data() + (nal.data - unit.bytes.data());
    copy->nals.push_back({own, nal.size});
    for (std::size_t at = NalHeaderSize(codec); at < nal.size; ++at) {
      own[at] = static_cast<std::uint8_t>(noise(random));
    }
  }
  return copy;
}

}  // namespace sightline::camera
