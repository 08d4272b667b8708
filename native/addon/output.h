#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "addon/record_sink.h"

namespace sightline::addon {

// Takes every buffer of one appsink to a RecordSink and counts what it took and what was refused.
class Output {
 public:
  // `index` names this output in batches that go to JavaScript. Throws Failure when `element` is no
  // appsink.
  static std::shared_ptr<Output> Attach(GstElement* element, uint32_t kind, uint32_t index,
                                        std::shared_ptr<RecordSink> sink);

  const std::string& node() const { return node_; }
  uint64_t records() const { return records_; }
  uint64_t bytes() const { return bytes_; }
  uint64_t dropped() const { return dropped_; }

 private:
  Output(std::string node, uint32_t kind, uint32_t index, std::shared_ptr<RecordSink> sink);
  static GstFlowReturn OnSample(GstAppSink* appsink, gpointer self);
  GstFlowReturn TakeSample(GstAppSink* appsink);

  const std::string node_;
  const uint32_t kind_;
  const uint32_t index_;
  const std::shared_ptr<RecordSink> sink_;
  std::atomic<uint64_t> records_{0};
  std::atomic<uint64_t> bytes_{0};
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace sightline::addon
