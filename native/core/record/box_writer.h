#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sightline {

// Boxes of ISO/IEC 14496-12, 4.2: a 32-bit size, four characters of type, then what is in it.
// Numbers are big-endian.
class BoxWriter {
 public:
  template <class Number>
  void Put(Number number) {
    const auto rest = static_cast<std::uint64_t>(number);
    for (std::size_t left = sizeof(Number); left-- > 0;) {
      bytes_.push_back(static_cast<char>(rest >> (8 * left) & 0xff));
    }
  }
  void U32(std::uint32_t number) { Put(number); }
  void Zeros(std::size_t count) { bytes_.append(count, '\0'); }
  void Append(std::string_view bytes) { bytes_.append(bytes); }

  // A box with what `content` puts into it.
  template <class Content>
  void Box(std::string_view type, Content&& content) {
    const std::size_t start = bytes_.size();
    U32(0);
    Append(type);
    content();
    SetU32(start, static_cast<std::uint32_t>(bytes_.size() - start));
  }
  // 4.2.2: one with a version and flags.
  template <class Content>
  void FullBox(std::string_view type, std::uint8_t version, std::uint32_t flags,
               Content&& content) {
    Box(type, [&] {
      U32(static_cast<std::uint32_t>(version) << 24 | flags);
      content();
    });
  }

  std::size_t size() const { return bytes_.size(); }
  // Writes over what is at `at`.
  void SetU32(std::size_t at, std::uint32_t number) {
    for (std::size_t i = 0; i < 4; ++i) {
      bytes_[at + i] = static_cast<char>(number >> (8 * (3 - i)) & 0xff);
    }
  }
  std::string Take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

}  // namespace sightline
