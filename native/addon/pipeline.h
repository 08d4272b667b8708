#pragma once

#include <gst/gst.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "addon/assembly.h"
#include "addon/buffer_watch.h"
#include "addon/dynamic_link.h"
#include "addon/event_queue.h"
#include "addon/graph_spec.h"
#include "addon/loop_thread.h"
#include "addon/output.h"

namespace sightline::addon {

struct PipelineOptions {
  // Nodes that report the first buffer and each end-of-stream that leaves (or, for sinks, reaches)
  // them.
  std::vector<std::string> watch;
  // Nodes whose incoming buffers are counted.
  std::vector<std::string> count;
  // Where output nodes send their buffers; null: to the event queue.
  std::shared_ptr<RecordSink> records;
};

// One GStreamer pipeline and its loop thread. Every request runs on that thread, in order, and is
// answered by exactly one "reply" event with its id, so the caller never waits on GStreamer.
class Pipeline : public std::enable_shared_from_this<Pipeline> {
 public:
  using PropertyPath = std::pair<std::string, std::string>;  // node, property
  struct PropertyChange {
    std::string node;
    std::string property;
    PropertyValue value;
  };

  Pipeline(GraphSpec spec, PipelineOptions options, std::shared_ptr<EventQueue> events);
  ~Pipeline();

  void Build(uint32_t request);
  // Replies when GStreamer has taken the change, or, with `wait`, when the state is reached.
  void SetState(uint32_t request, GstState target, bool wait);
  // Replies with the values in order; null for a node whose dynamic pad has not appeared yet.
  void GetProperties(uint32_t request, std::vector<PropertyPath> paths);
  // Sets all of them or, when one cannot be taken, none. Replies with a boolean for each: true when
  // a running element took it, false for one that is not built yet (it is then built with the
  // value) or that lacks an optional property.
  void SetProperties(uint32_t request, std::vector<PropertyChange> changes);
  // Also of a pipeline that hangs.
  void Dot(uint32_t request);
  // End-of-stream into the sources, or out of `nodes` where there are some. Replies whether any
  // took it.
  void SendEos(uint32_t request, std::vector<std::string> nodes);

  bool busy() const { return loop_.busy(); }
  // {"eventsDropped", "outputs": {node: {"records", "bytes", "dropped"}}, "entered": {node:
  // buffers}}; from any thread.
  std::string CountersJson() const;
  // Node ids of the outputs, in the order that records name them by.
  const std::vector<std::string>& output_nodes() const { return output_nodes_; }

  // State NULL, then the loop's end. False when that took longer than `limit`: the thread is then
  // left behind with everything it holds. Idempotent; not from the loop thread.
  bool Shutdown(std::chrono::milliseconds limit);

 private:
  using Body = std::function<std::string()>;
  struct PendingChange {
    uint32_t request = 0;  // 0: none
    GstState target = GST_STATE_NULL;
  };

  // Runs `body` on the loop thread; its result (JSON, or "" for a reply that comes later) answers.
  void Run(uint32_t request, Body body);
  void Answer(uint32_t request, const Body& body);
  void Reply(uint32_t request, const std::string& json);
  void ReplyFailure(uint32_t request, const Failure& failure);

  std::string BuildNow();
  std::string SetStateNow(uint32_t request, GstState target, bool wait);
  std::string GetPropertiesNow(const std::vector<PropertyPath>& paths);
  std::string SetPropertiesNow(const std::vector<PropertyChange>& changes);
  void ApplyChanges(const NodeSpec& node, GstElement* element);
  void StopNow();
  void OnAdded(const NodeSpec& node, GstElement* element);
  void HandleMessage(GstMessage* message);
  void HandleError(GstMessage* message);
  void PushIssue(GstMessage* message);
  void PushElementMessage(GstMessage* message);
  void HandleStateChange(GstMessage* message);
  // What waits on the bus and is of these types; others are dropped.
  void DrainBus(GstMessageType types = GST_MESSAGE_ANY);
  void SettlePending(const char* failure);
  const NodeSpec& RequireNode(const std::string& id) const;
  GstElement* RequireBuilt() const;
  // As RequireBuilt(), from any thread.
  Owned<GstElement> RequireTopBin() const;

  const GraphSpec spec_;
  const PipelineOptions options_;
  const std::shared_ptr<EventQueue> events_;
  std::vector<std::string> output_nodes_;
  std::vector<std::unique_ptr<DynamicLink>> dynamic_links_;
  std::unique_ptr<Assembly> assembly_;
  mutable std::mutex top_bin_mutex_;
  Owned<GstElement> top_bin_;
  Owned<GSource> bus_watch_;
  PendingChange pending_;
  GstState target_ = GST_STATE_NULL;
  // What SetProperties() was told, for elements that are built later, on other threads.
  std::mutex changes_mutex_;
  std::map<PropertyPath, Value> changes_;
  mutable std::mutex outputs_mutex_;
  std::vector<std::shared_ptr<Output>> outputs_;
  std::vector<std::shared_ptr<Intake>> intakes_;
  bool shut_down_ = false;
  LoopThread loop_;
};

}  // namespace sightline::addon
