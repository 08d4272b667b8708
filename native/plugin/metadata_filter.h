#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

// What the elements that only handle metadata have in common.

// Monotonic and wall clock (since the Unix epoch), in nanoseconds.
guint64 SlMonotonicNs();
guint64 SlUnixNs();

// Whether what comes to the element's sink pad is live; true where nobody upstream knows.
bool SlIsLive(GstBaseTransform* element);

// Adds the element's two pads.
void SlAddPads(GstElementClass* element_class, const char* sink_caps, const char* src_caps);

// Makes a class of elements that pass memory through untouched: allocation is settled between their
// neighbours, so that a decoder still writes straight into the memory the next element wants.
void SlPassAllocation(GstBaseTransformClass* transform_class);
