#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace sightline {

// One access unit of a recording. The layout of the file is src/common/segments.ts'.
struct FrameNote {
  std::uint64_t sequence = 0;
  std::uint64_t pts_ns = 0;  // running time
  std::int64_t capture_unix_ns = 0;
  std::uint32_t size_bytes = 0;
  std::uint8_t capture_clock = 0;  // number of sightline.v1.CaptureClock
  bool key_frame = false;
};

struct NotesHeader {
  std::uint64_t epoch = 0;
  std::uint64_t number = 0;
  std::int64_t opened_unix_ns = 0;
};

// Each appends the bytes of one of them, little-endian.
void AppendHeader(const NotesHeader& header, std::string* bytes);
void AppendNote(const FrameNote& note, std::string* bytes);

}  // namespace sightline
