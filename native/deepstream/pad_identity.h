#pragma once

#include <gst/base/gstbasetransform.h>

#include <string>

#include "core/encode/frame_message.h"
#include "deepstream/abi/meta.h"
#include "deepstream/reader/capture_time.h"
#include "deepstream/reader/frame_mark.h"
#include "deepstream/reader/frame_numbers.h"

// Names the frames of one pad: those that sldssample marked by their mark, others by counting here.
class PadIdentity {
 public:
  // `element` is asked whether the source is live. Call it under the batch's lock, once a frame.
  sightline::FrameMark Identify(GstBaseTransform* element,
                                const sightline::nvds::NvDsFrameMeta& frame,
                                sightline::CaptureClock ntp_clock);

 private:
  sightline::FrameNumbers numbers_;
  sightline::CaptureTimes times_;
  bool live_known_ = false;
  bool live_ = true;
};

// What the property "capture-clock" says ntp_timestamp is: "rtcp" (nvstreammux attach-sys-ts=0) or
// "arrival". Throws sightline::Error (kSettings).
sightline::CaptureClock ParseCaptureClock(const std::string& text);

// The property's name, nick and default.
constexpr char kDefaultCaptureClock[] = "rtcp";
