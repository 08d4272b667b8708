#include "addon/pipeline.h"

#include <algorithm>
#include <future>
#include <set>

#include "addon/bus_events.h"
#include "addon/dot.h"
#include "addon/element.h"
#include "addon/failure.h"
#include "addon/gvalue_json.h"
#include "addon/json.h"
#include "addon/main_loop.h"
#include "common/guard.h"

namespace sightline::addon {
namespace {

// Calls `visit` for every node of the graph, also those of dynamic chains.
template <class Visit>
void ForEachNode(const GraphSpec& spec, Visit&& visit) {
  for (const auto& node : spec.nodes) visit(node);
  for (const auto& choice : spec.choices) {
    for (const auto& alternative : choice.alternatives) {
      for (const auto& node : alternative.chain) visit(node);
    }
  }
}

struct Watched {
  std::shared_ptr<EventQueue> events;
  std::string node;
};

std::string NodeEvent(const char* type, const std::string& node) {
  JsonWriter json;
  return json.BeginObject().Key("type").String(type).Key("node").String(node).EndObject().Take();
}

GstPadProbeReturn ReportFirstBuffer(GstPad* pad, GstPadProbeInfo*, gpointer data) {
  return Guard(GST_PAD_PARENT(pad), GST_PAD_PROBE_REMOVE, [&] {
    const auto* watched = static_cast<Watched*>(data);
    watched->events->Push(NodeEvent("first-buffer", watched->node));
    return GST_PAD_PROBE_REMOVE;
  });
}

constexpr char kNodeEos[] = "sightline-node-eos";

// Over the bus, so that it comes after the error which it may be a consequence of.
GstPadProbeReturn ReportEnd(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  const Owned<GstElement> element(gst_pad_get_parent_element(pad));
  if (element == nullptr) return GST_PAD_PROBE_OK;
  gst_element_post_message(
      element.get(),
      gst_message_new_application(GST_OBJECT(element.get()), gst_structure_new_empty(kNodeEos)));
  return GST_PAD_PROBE_OK;
}

}  // namespace

Pipeline::Pipeline(GraphSpec spec, PipelineOptions options, std::shared_ptr<EventQueue> events)
    : spec_(std::move(spec)), options_(std::move(options)), events_(std::move(events)) {
  ForEachNode(spec_, [this](const NodeSpec& node) {
    if (node.output_kind) output_nodes_.push_back(node.id);
  });
}

Pipeline::~Pipeline() = default;

void Pipeline::Run(uint32_t request, Body body) {
  // The task keeps the pipeline alive, also one that hangs after everybody else gave it up.
  loop_.Post([self = shared_from_this(), request, body = std::move(body)] {
    try {
      const std::string result = body();
      if (!result.empty()) self->Reply(request, result);
    } catch (const Failure& failure) {
      self->ReplyFailure(request, failure);
    } catch (const std::exception& error) {
      self->ReplyFailure(request, Failure(kPipelineFailed, error.what()));
    }
  });
}

void Pipeline::Reply(uint32_t request, const std::string& json) {
  JsonWriter reply;
  reply.BeginObject().Key("type").String("reply").Key("id").Uint(request);
  events_->Push(reply.Key("result").Raw(json).EndObject().Take());
}

void Pipeline::ReplyFailure(uint32_t request, const Failure& failure) {
  JsonWriter reply;
  reply.BeginObject().Key("type").String("reply").Key("id").Uint(request);
  reply.Key("error").BeginObject();
  reply.Key("code").String(failure.code()).Key("message").String(failure.what());
  reply.Key("details").BeginObject();
  for (const auto& [name, value] : failure.details()) reply.Key(name).String(value);
  events_->Push(reply.EndObject().EndObject().EndObject().Take());
}

void Pipeline::Build(uint32_t request) {
  Run(request, [this] { return BuildNow(); });
}

std::string Pipeline::BuildNow() {
  assembly_ = std::make_unique<Assembly>(
      spec_.id, [this](const NodeSpec& node, GstElement* element) { OnAdded(node, element); });
  const Owned<GstBus> bus(gst_element_get_bus(assembly_->pipeline()));
  bus_watch_ = Adopt(gst_bus_create_watch(bus.get()));
  const GstBusFunc on_message = [](GstBus*, GstMessage* message, gpointer self) -> gboolean {
    auto* pipeline = static_cast<Pipeline*>(self);
    return Guard(pipeline->assembly_->pipeline(), G_SOURCE_CONTINUE, [&] {
      pipeline->HandleMessage(message);
      return G_SOURCE_CONTINUE;
    });
  };
  g_source_set_callback(bus_watch_.get(), G_SOURCE_FUNC(on_message), this, nullptr);
  loop_.Attach(bus_watch_.get());
  for (const auto& node : spec_.nodes) assembly_->Add(node);
  for (const auto& link : spec_.links) assembly_->Link(link);
  for (const auto& choice : spec_.choices) {
    dynamic_links_.push_back(std::make_unique<DynamicLink>(choice, assembly_.get()));
  }
  return "null";
}

void Pipeline::OnAdded(const NodeSpec& node, GstElement* element) {
  ApplyChanges(node, element);
  if (node.output_kind) {
    const auto index = std::find(output_nodes_.begin(), output_nodes_.end(), node.id);
    auto sink = options_.records != nullptr ? options_.records : events_;
    auto output =
        Output::Attach(element, static_cast<uint32_t>(*node.output_kind),
                       static_cast<uint32_t>(index - output_nodes_.begin()), std::move(sink));
    const std::lock_guard<std::mutex> lock(outputs_mutex_);
    outputs_.push_back(std::move(output));
  }
  const auto& watch = options_.watch;
  if (std::find(watch.begin(), watch.end(), node.id) != watch.end()) {
    Watch(node, element);
  }
}

void Pipeline::Watch(const NodeSpec& node, GstElement* element) {
  Owned<GstPad> pad(gst_element_get_static_pad(element, "src"));
  if (pad == nullptr) pad = Adopt(gst_element_get_static_pad(element, "sink"));
  if (pad == nullptr) {
    throw Failure(kSpecInvalid, "Node \"" + node.id + "\" has no pad to watch",
                  {{"node", node.id}});
  }
  const auto buffers =
      static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(pad.get(), buffers, ReportFirstBuffer, new Watched{events_, node.id},
                    [](gpointer data) { delete static_cast<Watched*>(data); });
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, ReportEnd, nullptr, nullptr);
}

void Pipeline::SetState(uint32_t request, GstState target, bool wait) {
  Run(request, [this, request, target, wait] { return SetStateNow(request, target, wait); });
}

std::string Pipeline::SetStateNow(uint32_t request, GstState target, bool wait) {
  GstElement* pipeline = RequireBuilt();
  SettlePending("Another state change came before this one was done");
  target_ = target;
  GstStateChangeReturn result = GST_STATE_CHANGE_FAILURE;
  const auto change = [&] { result = gst_element_set_state(pipeline, target); };
  if (target == GST_STATE_NULL) {
    OnMainLoop(change);
  } else {
    change();
  }
  if (result == GST_STATE_CHANGE_FAILURE) {
    DrainBus();  // so that the error's event comes before this reply
    throw Failure(kPipelineFailed, "Pipeline \"" + spec_.id + "\" cannot go to state " +
                                       gst_element_state_get_name(target));
  }
  if (result == GST_STATE_CHANGE_ASYNC && wait) {
    pending_ = {request, target};
    return "";
  }
  return result == GST_STATE_CHANGE_ASYNC ? "\"async\"" : "\"done\"";
}

void Pipeline::GetProperties(uint32_t request, std::vector<PropertyPath> paths) {
  Run(request, [this, paths = std::move(paths)] { return GetPropertiesNow(paths); });
}

std::string Pipeline::GetPropertiesNow(const std::vector<PropertyPath>& paths) {
  JsonWriter json;
  json.BeginArray();
  for (const auto& [node_id, property] : paths) {
    const NodeSpec& node = RequireNode(node_id);
    RequireBuilt();
    GstElement* element = assembly_->Find(node_id);
    if (element == nullptr) {
      json.Null();
      continue;
    }
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property.c_str());
    if (spec == nullptr || (spec->flags & G_PARAM_READABLE) == 0) {
      throw Failure(kSpecInvalid,
                    "Node \"" + node_id + "\" (" + node.factory + ") has no readable property \"" +
                        property + "\"",
                    {{"node", node_id}, {"factory", node.factory}, {"property", property}});
    }
    if (node.secret.count(property) > 0) {
      json.String("[redacted]");
      continue;
    }
    Value value(spec->value_type);
    g_object_get_property(G_OBJECT(element), property.c_str(), value.get());
    WriteValue(&json, value.get());
  }
  return json.EndArray().Take();
}

void Pipeline::SetProperties(uint32_t request, std::vector<PropertyChange> changes) {
  Run(request, [this, changes = std::move(changes)] { return SetPropertiesNow(changes); });
}

std::string Pipeline::SetPropertiesNow(const std::vector<PropertyChange>& changes) {
  RequireBuilt();
  std::vector<std::optional<Value>> values;
  for (const auto& change : changes) {
    values.push_back(ConvertForNode(RequireNode(change.node), change.property, change.value));
  }
  JsonWriter json;
  json.BeginArray();
  for (size_t i = 0; i < changes.size(); i++) {
    const PropertyPath path(changes[i].node, changes[i].property);
    if (!values[i]) {
      json.Bool(false);
      continue;
    }
    GValue* value = values[i]->get();
    {
      // Noted before the element is looked for: one that is added meanwhile finds the note.
      Value copy(G_VALUE_TYPE(value));
      g_value_copy(value, copy.get());
      const std::lock_guard<std::mutex> lock(changes_mutex_);
      changes_.erase(path);
      changes_.emplace(path, std::move(copy));
    }
    GstElement* element = assembly_->Find(path.first);
    if (element != nullptr) g_object_set_property(G_OBJECT(element), path.second.c_str(), value);
    json.Bool(element != nullptr);
  }
  return json.EndArray().Take();
}

void Pipeline::ApplyChanges(const NodeSpec& node, GstElement* element) {
  const std::lock_guard<std::mutex> lock(changes_mutex_);
  for (const auto& [path, value] : changes_) {
    if (path.first != node.id) continue;
    g_object_set_property(G_OBJECT(element), path.second.c_str(), value.get());
  }
}

void Pipeline::Dot(uint32_t request) {
  Run(request, [this] {
    std::set<std::string> secrets;
    ForEachNode(spec_, [&](const NodeSpec& node) {
      secrets.insert(node.secret.begin(), node.secret.end());
    });
    JsonWriter json;
    return json.String(DumpDot(RequireBuilt(), secrets)).Take();
  });
}

void Pipeline::SendEos(uint32_t request, std::vector<std::string> nodes) {
  Run(request, [this, nodes = std::move(nodes)] {
    bool taken = nodes.empty() && gst_element_send_event(RequireBuilt(), gst_event_new_eos());
    for (const auto& node : nodes) {
      RequireNode(node);
      RequireBuilt();
      GstElement* element = assembly_->Find(node);
      const Owned<GstPad> pad(element == nullptr ? nullptr
                                                 : gst_element_get_static_pad(element, "src"));
      // The pad refuses what the element gives it after this.
      if (pad != nullptr && gst_pad_push_event(pad.get(), gst_event_new_eos())) taken = true;
    }
    return std::string(taken ? "true" : "false");
  });
}

std::string Pipeline::CountersJson() const {
  JsonWriter json;
  json.BeginObject().Key("eventsDropped").Uint(events_->dropped_events());
  json.Key("outputs").BeginObject();
  const std::lock_guard<std::mutex> lock(outputs_mutex_);
  for (const auto& output : outputs_) {
    json.Key(output->node()).BeginObject();
    json.Key("records").Uint(output->records()).Key("bytes").Uint(output->bytes());
    json.Key("dropped").Uint(output->dropped()).EndObject();
  }
  return json.EndObject().EndObject().Take();
}

void Pipeline::HandleMessage(GstMessage* message) {
  GstElement* pipeline = assembly_->pipeline();
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      HandleError(message);
      break;
    case GST_MESSAGE_WARNING:
      events_->PushDroppable(DescribeIssue(message, pipeline));
      break;
    case GST_MESSAGE_EOS:
      events_->Push("{\"type\":\"eos\"}");
      break;
    case GST_MESSAGE_APPLICATION:
      if (gst_message_has_name(message, kNodeEos)) {
        events_->Push(NodeEvent("node-eos", NodeOf(message, pipeline)));
      }
      break;
    case GST_MESSAGE_STATE_CHANGED:
      if (GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline)) HandleStateChange(message);
      break;
    case GST_MESSAGE_ELEMENT:
      events_->PushDroppable(DescribeElementMessage(message, pipeline));
      break;
    case GST_MESSAGE_LATENCY:
      gst_bin_recalculate_latency(GST_BIN(pipeline));
      break;
    case GST_MESSAGE_CLOCK_LOST:
      // The new clock is chosen on the way from PAUSED to PLAYING.
      if (target_ == GST_STATE_PLAYING) {
        gst_element_set_state(pipeline, GST_STATE_PAUSED);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
      }
      break;
    default:
      break;
  }
}

void Pipeline::HandleError(GstMessage* message) {
  GstElement* pipeline = assembly_->pipeline();
  const GstStructure* details = nullptr;
  gst_message_parse_error_details(message, &details);
  gint flow = GST_FLOW_OK;
  if (details != nullptr) gst_structure_get_int(details, "flow-return", &flow);
  // A demuxer only says "not linked", and some never say "no more pads": the cause is a choice of
  // ours.
  for (const auto& link : dynamic_links_) {
    if (flow != GST_FLOW_NOT_LINKED || link->from() != NodeOf(message, pipeline)) continue;
    if (const auto mismatch = link->Mismatch()) {
      const auto cause = FailureMessage(assembly_->Find(link->from()), *mismatch);
      events_->PushDroppable(DescribeIssue(cause.get(), pipeline));
    }
  }
  events_->PushDroppable(DescribeIssue(message, pipeline));
  SettlePending("The pipeline failed before it reached the state");
}

void Pipeline::HandleStateChange(GstMessage* message) {
  events_->Push(DescribeStateChange(message));
  GstState now;
  GstState next;
  gst_message_parse_state_changed(message, nullptr, &now, &next);
  if (now == pending_.target && next == GST_STATE_VOID_PENDING) SettlePending(nullptr);
}

void Pipeline::DrainBus() {
  const Owned<GstBus> bus(gst_element_get_bus(RequireBuilt()));
  while (const auto message = Adopt(gst_bus_pop(bus.get()))) HandleMessage(message.get());
}

void Pipeline::SettlePending(const char* failure) {
  const auto done = std::exchange(pending_, PendingChange{});
  if (done.request == 0) return;
  if (failure == nullptr) {
    Reply(done.request, "\"done\"");
  } else {
    ReplyFailure(done.request, Failure(kPipelineFailed, failure));
  }
}

const NodeSpec& Pipeline::RequireNode(const std::string& id) const {
  const NodeSpec* found = nullptr;
  ForEachNode(spec_, [&](const NodeSpec& node) {
    if (node.id == id) found = &node;
  });
  if (found == nullptr) {
    throw Failure(kNotFound, "Pipeline \"" + spec_.id + "\" has no node \"" + id + "\"",
                  {{"node", id}});
  }
  return *found;
}

GstElement* Pipeline::RequireBuilt() const {
  if (assembly_ == nullptr) {
    throw Failure(kPipelineFailed, "Pipeline \"" + spec_.id + "\" was not built");
  }
  return assembly_->pipeline();
}

void Pipeline::StopNow() {
  if (assembly_ == nullptr) return;
  OnMainLoop([this] { gst_element_set_state(assembly_->pipeline(), GST_STATE_NULL); });
  SettlePending("The pipeline was closed");
  if (bus_watch_ != nullptr) g_source_destroy(bus_watch_.get());
}

bool Pipeline::Shutdown(std::chrono::milliseconds limit) {
  if (std::exchange(shut_down_, true)) return true;
  auto stopped = std::make_shared<std::promise<void>>();
  auto done = stopped->get_future();
  loop_.Post([self = shared_from_this(), stopped] {
    self->StopNow();
    stopped->set_value();
  });
  if (done.wait_for(limit) != std::future_status::ready) {
    loop_.Detach();
    return false;
  }
  loop_.QuitAndJoin();
  return true;
}

}  // namespace sightline::addon
