#include "addon/json.h"

#include <glib.h>

#include <cmath>
#include <cstdio>

namespace sightline::addon {
namespace {

constexpr int64_t kMaxSafeInteger = 9007199254740991;  // 2^53 - 1

}  // namespace

void JsonWriter::BeforeValue() {
  if (need_comma_) text_ += ',';
  need_comma_ = true;
}

JsonWriter& JsonWriter::BeginObject() {
  BeforeValue();
  text_ += '{';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndObject() {
  text_ += '}';
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::BeginArray() {
  BeforeValue();
  text_ += '[';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::EndArray() {
  text_ += ']';
  need_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Key(std::string_view name) {
  String(name);
  text_ += ':';
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view text) {
  BeforeValue();
  text_ += '"';
  if (g_utf8_validate(text.data(), static_cast<gssize>(text.size()), nullptr)) {
    AppendEscaped(text);
  } else {
    gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
    AppendEscaped(valid);
    g_free(valid);
  }
  text_ += '"';
  return *this;
}

JsonWriter& JsonWriter::StringOrNull(const char* text) {
  return text == nullptr ? Null() : String(text);
}

JsonWriter& JsonWriter::Bool(bool value) {
  BeforeValue();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::Null() {
  BeforeValue();
  text_ += "null";
  return *this;
}

JsonWriter& JsonWriter::Int(int64_t value) {
  if (value > kMaxSafeInteger || value < -kMaxSafeInteger) return String(std::to_string(value));
  BeforeValue();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::Uint(uint64_t value) {
  if (value > static_cast<uint64_t>(kMaxSafeInteger)) return String(std::to_string(value));
  BeforeValue();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::Double(double value) {
  if (!std::isfinite(value)) return Null();
  BeforeValue();
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  text_ += g_ascii_dtostr(digits, sizeof digits, value);
  return *this;
}

JsonWriter& JsonWriter::Raw(std::string_view json) {
  BeforeValue();
  text_ += json;
  return *this;
}

void JsonWriter::AppendEscaped(std::string_view text) {
  for (char c : text) {
    switch (c) {
      case '"':
        text_ += "\\\"";
        break;
      case '\\':
        text_ += "\\\\";
        break;
      case '\n':
        text_ += "\\n";
        break;
      case '\t':
        text_ += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char code[8];
          std::snprintf(code, sizeof code, "\\u%04x", c);
          text_ += code;
        } else {
          text_ += c;
        }
    }
  }
}

}  // namespace sightline::addon
