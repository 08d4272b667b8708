#pragma once

#include <gst/gst.h>

#include "core/encode/frame_message.h"
#include "plugin/frame_meta.h"

// Fills a message from a buffer's metadata. The message's text fields point to interned strings
// and, for results of analytics, into the metadata.

// Model, tracker, flags and stage times. `now_ns` is monotonic.
void SlReportFrame(const SlFrameMeta& frame, guint64 now_ns, sightline::FrameMessage* message);
// Objects and what was counted on them, with boxes clipped to the picture; what lies outside of it
// entirely is left out.
void SlReportObjects(GstBuffer* buffer, int width, int height, sightline::FrameMessage* message);
