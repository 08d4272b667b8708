#pragma once

#include <gst/gst.h>

#include <string>

#include "addon/failure.h"
#include "addon/graph_spec.h"
#include "addon/gst_ptr.h"

namespace sightline::addon {

// Whose property is meant; names itself in errors.
struct PropertyPlace {
  std::string node;
  std::string factory;
  std::string property;
  bool secret = false;  // the value never appears in an error
};

// `value` as the GValue that `spec` takes. Enums go by nick or number, flags by nicks joined with
// "+", caps and fractions by GStreamer's notation; no other text is parsed. Throws Failure naming
// node, factory, property, value and what is allowed.
Value ConvertProperty(GParamSpec* spec, const PropertyValue& value, const PropertyPlace& place);

// The writable property of `klass`, or a Failure.
GParamSpec* FindWritable(GObjectClass* klass, const PropertyPlace& place);

}  // namespace sightline::addon
