#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <protozero/pbf_reader.hpp>
#include <string>
#include <vector>

namespace sightline::test {

// Every field of a message by number: varints and fixed as numbers, the rest as bytes. Knows no
// schema, so it shares no mistake with the encoder.
struct MessageFields {
  explicit MessageFields(const std::string& bytes) {
    protozero::pbf_reader reader(bytes);
    while (reader.next()) {
      const int tag = static_cast<int>(reader.tag());
      switch (reader.wire_type()) {
        case protozero::pbf_wire_type::varint:
          numbers[tag] = reader.get_uint64();
          break;
        case protozero::pbf_wire_type::fixed32:
          floats[tag] = reader.get_float();
          break;
        case protozero::pbf_wire_type::length_delimited:
          texts[tag].push_back(reader.get_string());
          break;
        default:
          ADD_FAILURE() << "field " << tag << " has a type that the schema has not";
          reader.skip();
      }
    }
  }
  // A field's first value, or its default.
  std::string text(int tag) const { return texts.count(tag) != 0 ? texts.at(tag).front() : ""; }
  std::uint64_t number(int tag) const { return numbers.count(tag) != 0 ? numbers.at(tag) : 0; }

  std::map<int, std::uint64_t> numbers;
  std::map<int, float> floats;
  std::map<int, std::vector<std::string>> texts;
};

}  // namespace sightline::test
