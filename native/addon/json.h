#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace sightline::addon {

// Writes JSON text from front to back. Commas are its business; nesting is the caller's.
class JsonWriter {
 public:
  JsonWriter& BeginObject();
  JsonWriter& EndObject();
  JsonWriter& BeginArray();
  JsonWriter& EndArray();
  JsonWriter& Key(std::string_view name);
  // Text that is not UTF-8 has its bad bytes replaced by U+FFFD.
  JsonWriter& String(std::string_view text);
  // As String, or null for a null pointer.
  JsonWriter& StringOrNull(const char* text);
  JsonWriter& Bool(bool value);
  JsonWriter& Null();
  // Integers that a JavaScript number cannot hold exactly are written as decimal strings.
  JsonWriter& Int(int64_t value);
  JsonWriter& Uint(uint64_t value);
  // Not-a-number and infinities, which JSON lacks, are written as null.
  JsonWriter& Double(double value);
  // `json` as it is: one complete value.
  JsonWriter& Raw(std::string_view json);

  std::string Take() { return std::move(text_); }

 private:
  void BeforeValue();
  void AppendEscaped(std::string_view text);

  std::string text_;
  bool need_comma_ = false;
};

}  // namespace sightline::addon
