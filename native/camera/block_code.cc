#include "camera/block_code.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace sightline::camera {
namespace {

constexpr int kColumns = 64;
constexpr std::uint16_t kSync = 0xb5c3;
constexpr std::uint8_t kBlack = 16;
constexpr std::uint8_t kWhite = 235;

// Three columns by five rows, the top row in the highest bits.
constexpr std::array<std::uint16_t, 10> kDigits = {
    0b111101101101111, 0b010110010010111, 0b111001111100111, 0b111001111001111, 0b101101111001001,
    0b111100111001111, 0b111100111101111, 0b111001001001001, 0b111101111101111, 0b111101111001111};
constexpr std::uint16_t kColon = 0b000010000010000;
constexpr std::uint16_t kPoint = 0b000000000000010;

/** CRC-16 with the polynomial 0x1021 and the start 0xffff (CCITT). */
std::uint16_t Crc(const std::array<std::uint8_t, 12>& bytes) {
  std::uint16_t crc = 0xffff;
  for (const std::uint8_t byte : bytes) {
    crc = static_cast<std::uint16_t>(crc ^ (byte << 8));
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<std::uint16_t>((crc & 0x8000) != 0 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc;
}

void Fill(const Luma& luma, int left, int top, int right, int bottom, std::uint8_t value) {
  right = std::min(right, luma.width);
  bottom = std::min(bottom, luma.height);
  for (int row = top; row < bottom && left < right; ++row) {
    std::memset(luma.data + row * luma.stride + left, value,
                static_cast<std::size_t>(right - left));
  }
}

std::uint16_t Glyph(char letter) {
  if (letter >= '0' && letter <= '9') return kDigits[static_cast<std::size_t>(letter - '0')];
  if (letter == ':') return kColon;
  return letter == '.' ? kPoint : 0;
}

}  // namespace

void DrawBlockCode(const Luma& luma, std::uint64_t frame, std::uint64_t wall_ms) {
  std::array<std::uint8_t, 12> body;
  for (int index = 0; index < 6; ++index) {
    body[static_cast<std::size_t>(index)] = static_cast<std::uint8_t>(frame >> (40 - 8 * index));
    body[static_cast<std::size_t>(index + 6)] =
        static_cast<std::uint8_t>(wall_ms >> (40 - 8 * index));
  }
  std::array<std::uint8_t, 16> code = {kSync >> 8, kSync & 0xff};
  std::copy(body.begin(), body.end(), code.begin() + 2);
  const std::uint16_t crc = Crc(body);
  code[14] = static_cast<std::uint8_t>(crc >> 8);
  code[15] = static_cast<std::uint8_t>(crc);
  for (int cell = 0; cell < 2 * kColumns; ++cell) {
    const int column = cell % kColumns;
    const int row = cell / kColumns;
    const bool is_white = (code[static_cast<std::size_t>(cell / 8)] >> (7 - cell % 8) & 1) != 0;
    Fill(luma, column * luma.width / kColumns, row * luma.width / kColumns,
         (column + 1) * luma.width / kColumns, (row + 1) * luma.width / kColumns,
         is_white ? kWhite : kBlack);
  }
}

void DrawText(const Luma& luma, const std::string& text) {
  const int dot = std::max(1, luma.width / 256);
  const int top = 2 * luma.width / kColumns + 2 * dot;
  Fill(luma, 0, top - dot, static_cast<int>(text.size()) * 4 * dot + dot, top + 6 * dot, kBlack);
  int left = dot;
  for (const char letter : text) {
    const std::uint16_t glyph = Glyph(letter);
    for (int at = 0; at < 15; ++at) {
      if ((glyph >> (14 - at) & 1) == 0) continue;
      const int x = left + at % 3 * dot;
      const int y = top + at / 3 * dot;
      Fill(luma, x, y, x + dot, y + dot, kWhite);
    }
    left += 4 * dot;
  }
}

}  // namespace sightline::camera
