#pragma once

#include <cstddef>
#include <string_view>

namespace sightline {

// The text in an array of `size` bytes that a zero ends, unless it fills the array. What is not
// UTF-8 is cut off, above all half a character where a label was too long: a protobuf reader
// refuses a whole message for it.
std::string_view MetaText(const char* text, std::size_t size);
// The same for a text that a zero ends; null is empty.
std::string_view MetaText(const char* text);

}  // namespace sightline
