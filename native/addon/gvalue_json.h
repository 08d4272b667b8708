#pragma once

#include <gst/gst.h>

#include "addon/json.h"

namespace sightline::addon {

// Writes a GValue: numbers and booleans as such, enums by nick, flags as "a+b", caps and other
// serialisable types as GStreamer's text, structures and lists as JSON, the rest as null.
void WriteValue(JsonWriter* json, const GValue* value);
// {"name": ..., "fields": {...}}
void WriteStructure(JsonWriter* json, const GstStructure* structure);

}  // namespace sightline::addon
