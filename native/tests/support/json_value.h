#pragma once

#include <cstdlib>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace sightline::test {

// A JSON document for fixtures: no escapes in texts, and whatever is amiss throws.
struct JsonValue {
  std::string text;
  double number = 0;
  std::vector<JsonValue> items;
  std::map<std::string, JsonValue> fields;

  const JsonValue& operator[](const std::string& name) const { return fields.at(name); }
  bool Has(const std::string& name) const { return fields.count(name) != 0; }
  int Int() const { return static_cast<int>(number); }

  static JsonValue Parse(const std::string& json) {
    const char* at = json.c_str();
    JsonValue value = ParseValue(&at);
    if (Next(&at) != '\0') throw std::runtime_error("there is more after the JSON value");
    return value;
  }

 private:
  static char Next(const char** at) {
    while (**at == ' ' || **at == '\n') ++*at;
    return **at;
  }
  static void Expect(const char** at, char wanted) {
    if (Next(at) != wanted) throw std::runtime_error(std::string("JSON: no ") + wanted);
    ++*at;
  }
  static std::string ParseText(const char** at) {
    Expect(at, '"');
    std::string text;
    while (**at != '"' && **at != '\0') text += *(*at)++;
    Expect(at, '"');
    return text;
  }
  template <class Item>
  static void ParseList(const char** at, char open, char close, Item item) {
    Expect(at, open);
    if (Next(at) != close) {
      item();
      while (Next(at) == ',') {
        ++*at;
        item();
      }
    }
    Expect(at, close);
  }
  static JsonValue ParseValue(const char** at) {
    JsonValue value;
    switch (Next(at)) {
      case '{':
        ParseList(at, '{', '}', [&] {
          const std::string name = ParseText(at);
          Expect(at, ':');
          value.fields[name] = ParseValue(at);
        });
        break;
      case '[':
        ParseList(at, '[', ']', [&] { value.items.push_back(ParseValue(at)); });
        break;
      case '"':
        value.text = ParseText(at);
        break;
      default: {
        char* end = nullptr;
        value.number = std::strtod(*at, &end);
        if (end == *at) throw std::runtime_error("JSON: no value");
        *at = end;
      }
    }
    return value;
  }
};

}  // namespace sightline::test
