#pragma once

#include <gst/gst.h>

#include <optional>
#include <string>

#include "addon/graph_spec.h"
#include "addon/gst_ptr.h"

namespace sightline::addon {

// Creates the node's element, named after it, with its properties set. Throws Failure.
Owned<GstElement> MakeElement(const NodeSpec& node);

// `value` as the property of the node's element takes it, whether that element is built or not;
// nothing when the node calls the property optional and its element lacks it. Throws Failure naming
// node and property, also for one that can only be set when the element is made.
std::optional<Value> ConvertForNode(const NodeSpec& node, const std::string& property,
                                    const PropertyValue& value);

}  // namespace sightline::addon
