#pragma once

#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "addon/event_queue.h"

// Pad probes that tell of buffers on their way through an element.
namespace sightline::addon {

// Name of the application message on the bus which says that an end-of-stream has left its source.
inline constexpr char kNodeEos[] = "sightline-node-eos";

// {"type": type, "node": node}
std::string NodeEvent(const char* type, const std::string& node);

// Reports the first buffer and each end-of-stream that leaves (or, for sinks, reaches) the element.
// Throws Failure when it has no pad.
void ReportFlow(GstElement* element, const std::string& node, std::shared_ptr<EventQueue> events);

// Counts the buffers that enter one element.
struct Intake {
  std::string node;
  std::atomic<uint64_t> buffers{0};
};
// Null when the element has no sink pad of that name from the beginning.
std::shared_ptr<Intake> CountIntake(GstElement* element, const std::string& node);

}  // namespace sightline::addon
