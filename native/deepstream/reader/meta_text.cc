#include "deepstream/reader/meta_text.h"

#include <glib.h>

#include <cstring>

namespace sightline {
namespace {

std::string_view ValidPart(const char* text, std::size_t length) {
  const char* end = text;
  g_utf8_validate(text, static_cast<gssize>(length), &end);
  return {text, static_cast<std::size_t>(end - text)};
}

}  // namespace

std::string_view MetaText(const char* text, std::size_t size) {
  return ValidPart(text, strnlen(text, size));
}

std::string_view MetaText(const char* text) {
  return text == nullptr ? std::string_view() : ValidPart(text, std::strlen(text));
}

}  // namespace sightline
