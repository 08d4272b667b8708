#pragma once

#include <gst/gst.h>

#include <set>
#include <string>

namespace sightline::addon {

// GraphViz text of the running pipeline. Values of properties named in `secret_names` are replaced
// wherever they appear, also on inner elements that got the same property handed down.
std::string DumpDot(GstElement* pipeline, const std::set<std::string>& secret_names);

}  // namespace sightline::addon
