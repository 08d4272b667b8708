#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sightline {

// Units a second of every time in a file: the clock of video in RTP (RFC 6184, 8.2.1).
constexpr std::uint32_t kMp4Timescale = 90'000;

struct Mp4Track {
  bool h265 = false;
  // What is in avcC (ISO/IEC 14496-15, 5.3.3.1) or hvcC (8.3.3.1).
  std::string configuration;
  // Pixels, and the shape of one.
  std::uint16_t width = 0;
  std::uint16_t height = 0;
  std::uint32_t pixel_width = 1;
  std::uint32_t pixel_height = 1;
  // Seconds since the Unix epoch.
  std::uint64_t made_unix_s = 0;
};

// What stands before the first fragment: `ftyp` and a `moov` of one video track without samples.
struct Mp4Header {
  std::string bytes;
  // Where there is room, in a `free` box, for the one that Mp4Duration() makes.
  std::size_t duration_at = 0;
};

Mp4Header MakeMp4Header(const Mp4Track& track);

// How long all fragments are (8.8.2), which is known when the file ends. Of the size of the room.
std::string Mp4Duration(std::uint64_t units);

}  // namespace sightline
