#include "core/record/notes.h"

namespace sightline {
namespace {

constexpr char kMagic[] = "SLNOTES1";
constexpr std::uint8_t kKeyFrame = 1;

template <class Number>
void Append(Number number, std::string* bytes) {
  auto rest = static_cast<std::uint64_t>(number);
  for (std::size_t i = 0; i < sizeof(Number); ++i, rest >>= 8) {
    bytes->push_back(static_cast<char>(rest & 0xff));
  }
}

}  // namespace

void AppendHeader(const NotesHeader& header, std::string* bytes) {
  bytes->append(kMagic);
  Append(header.epoch, bytes);
  Append(header.number, bytes);
  Append(header.opened_unix_ns, bytes);
}

void AppendNote(const FrameNote& note, std::string* bytes) {
  Append(note.sequence, bytes);
  Append(note.pts_ns, bytes);
  Append(note.capture_unix_ns, bytes);
  Append(note.size_bytes, bytes);
  Append(note.capture_clock, bytes);
  Append(note.key_frame ? kKeyFrame : std::uint8_t{0}, bytes);
  Append(std::uint16_t{0}, bytes);
}

}  // namespace sightline
