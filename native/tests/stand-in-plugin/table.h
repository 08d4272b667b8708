#pragma once

#include <gst/gst.h>

#include <cstddef>

// What the catalogue (configs/deepstream/catalogue-*.json) says of DeepStream's elements, as rows.
namespace sightline::standin {

// Numbers as text, null where the catalogue says nothing.
struct PropertyRow {
  const char* name;
  const char* type;    // boolean, int, uint, int64, uint64, string, enum, object
  const char* access;  // r, w, rw
  const char* on;      // platform family that has it; null: all
  const char* fallback;
  const char* min;
  const char* max;
  const GEnumValue* values;
};

struct PadRow {
  const char* name;
  const char* direction;
  const char* presence;
  const char* caps_dgpu;
  const char* caps_jetson;
};

struct ElementRow {
  const char* name;
  const PropertyRow* properties;
  std::size_t property_count;
  const PadRow* pads;
  std::size_t pad_count;
};

// The row of this name. Aborts the process without one: the catalogue has lost an element.
const ElementRow& RowOf(const char* name);

// "dgpu", or what STANDIN_PLATFORM says ("jetson").
const char* PlatformFamily();

}  // namespace sightline::standin
