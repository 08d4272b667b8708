#pragma once

#include <gst/gst.h>

#include <string>

namespace sightline::addon {

// GStreamer's warnings and errors, kept for whoever asks instead of written to stderr. Holds a
// bounded number of lines between two calls of TakeLogs(); what does not fit is counted.
void CaptureLogs();

// {"dropped": n, "lines": [{"level", "category", "element", "message"}]}
std::string TakeLogs();

}  // namespace sightline::addon
