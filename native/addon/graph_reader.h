#pragma once

#include <napi.h>

#include "addon/graph_spec.h"

namespace sightline::addon {

// Copies a Graph out of JavaScript. Throws Napi::TypeError naming the path of what has the wrong
// type.
GraphSpec ReadGraph(const Napi::Value& value);

// Values a property can be set to: string, number or boolean. `path` goes into the error.
PropertyValue ReadPropertyValue(const Napi::Value& value, const std::string& path);

// All elements of an array of strings.
std::vector<std::string> ReadStrings(const Napi::Value& value, const std::string& path);

}  // namespace sightline::addon
