#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <optional>

// How sllatency, in front of the detector, tells the elements upstream of it that frames are late:
// a custom upstream event a frame. Who stands where it helps acts on it: slstamp behind the decoder
// refuses new pictures (SL_LATENCY_NEWEST), slskip in front of it lets key frames through alone
// (SL_LATENCY_NON_KEY).

enum SlLatencyDrop { SL_LATENCY_OLDEST, SL_LATENCY_NEWEST, SL_LATENCY_NON_KEY };

struct SlLatencyReport {
  SlLatencyDrop drop = SL_LATENCY_OLDEST;
  guint64 budget_ns = 0;  // 0: no budget any more
  guint64 sequence = 0;   // of the frame that was looked at
  bool late = false;      // it is older than the budget
};

// Sends the report upstream of the element.
void SlSendLatencyReport(GstBaseTransform* element, const SlLatencyReport& report);
// The report an event carries; none for every other event.
std::optional<SlLatencyReport> SlReadLatencyReport(GstEvent* event);

// How old a frame is, in nanoseconds: on the pipeline's clock since its time of presentation, which
// a live source sets to the arrival of its first packet. What waits in the source's own buffer
// counts too. Without a clock or a time: since slstamp saw it; 0 where nobody knows.
guint64 SlFrameAgeNs(GstBaseTransform* element, GstBuffer* buffer);
