#pragma once

#include <cstdint>
#include <string>

namespace sightline::camera {

/** A plane of brightness, one byte a pixel. */
struct Luma {
  std::uint8_t* data = nullptr;
  int width = 0;
  int height = 0;
  int stride = 0;
};

/**
 * Draws two rows of 64 cells across the top of the picture
 * (docs/fake-camera.md): 16 bits sync, 48 bits frame number, 48 bits Unix time
 * in ms, CRC-16 of those twelve bytes; white is 1.
 */
void DrawBlockCode(const Luma& luma, std::uint64_t frame, std::uint64_t wall_ms);

/** Draws digits, colons, points and blanks below the block code. */
void DrawText(const Luma& luma, const std::string& text);

}  // namespace sightline::camera
