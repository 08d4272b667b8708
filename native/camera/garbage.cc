#include "camera/garbage.h"

#include <random>

namespace sightline::camera {

Owned<GstBuffer> Scrambled(GstBuffer* unit, guint64 seed) {
  auto copy = Adopt(gst_buffer_copy_deep(unit));
  GstMapInfo map;
  if (!gst_buffer_map(copy.get(), &map, GST_MAP_READWRITE)) return copy;
  std::mt19937_64 random(seed);
  // Bytes above 3 only: noise must not look like a start code (00 00 01) or need escaping (00 00
  // 03).
  std::uniform_int_distribution<int> noise(4, 255);
  gsize payload_from = map.size;
  for (gsize at = 0; at < map.size; ++at) {
    const bool start_code =
        at + 3 < map.size && map.data[at] == 0 && map.data[at + 1] == 0 && map.data[at + 2] == 1;
    if (start_code) {
      at += 3;
      payload_from = at + 1;
    } else if (at >= payload_from &&
               !(map.data[at] == 0 && at + 4 < map.size && map.data[at + 1] == 0 &&
                 map.data[at + 2] == 0 && map.data[at + 3] == 1)) {
      map.data[at] = static_cast<guint8>(noise(random));
    }
  }
  gst_buffer_unmap(copy.get(), &map);
  return copy;
}

}  // namespace sightline::camera
