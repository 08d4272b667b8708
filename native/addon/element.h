#pragma once

#include <gst/gst.h>

#include "addon/graph_spec.h"
#include "addon/gst_ptr.h"

namespace sightline::addon {

// Creates the node's element, named after it, with its properties set. Throws Failure.
Owned<GstElement> MakeElement(const NodeSpec& node);

// Sets one property of a built element. Throws Failure.
void SetElementProperty(GstElement* element, const NodeSpec& node, const std::string& property,
                        const PropertyValue& value);

}  // namespace sightline::addon
