#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace sightline {

// Tells whether something moves, from the brightness of pictures. A picture is laid out as 64 by 36
// cells, whose mean brightness (of every fourth pixel of every fourth row) is compared with what it
// was lately: a mean that forgets, so that a light that stays on is no motion for long. What all
// cells have in common (a cloud, the camera's exposure) does not count.
class MotionDetector {
 public:
  static constexpr int kColumns = 64;
  static constexpr int kRows = 36;

  // Forgets what it has seen.
  void Reset();
  // Part of the cells that differ by `threshold` or more, 0 to 1; 0 for the first picture.
  // `luma` is a plane of 8 bits a pixel.
  float Look(const std::uint8_t* luma, int width, int height, std::ptrdiff_t row_bytes,
             float threshold);

 private:
  using Cells = std::array<float, std::size_t{kColumns} * kRows>;

  bool seen_ = false;
  Cells now_{};
  Cells lately_{};
};

}  // namespace sightline
