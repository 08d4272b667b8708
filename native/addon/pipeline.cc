#include "addon/pipeline.h"

#include <algorithm>
#include <future>
#include <set>
#include <thread>

#include "addon/dot.h"
#include "addon/failure.h"
#include "addon/json.h"
#include "addon/main_loop.h"
#include "addon/redirect_guard.h"
#include "common/guard.h"

namespace sightline::addon {

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
    self->Answer(request, body);
  });
}

void Pipeline::Answer(uint32_t request, const Body& body) {
  try {
    const std::string result = body();
    if (!result.empty()) Reply(request, result);
  } catch (const Failure& failure) {
    ReplyFailure(request, failure);
  } catch (const std::exception& error) {
    ReplyFailure(request, Failure(kPipelineFailed, error.what()));
  }
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
  {
    const std::lock_guard<std::mutex> lock(top_bin_mutex_);
    top_bin_ = Ref(assembly_->pipeline());
  }
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
  GuardRedirects(element);
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
    ReportFlow(element, node.id, events_);
  }
  const auto& count = options_.count;
  if (std::find(count.begin(), count.end(), node.id) == count.end()) return;
  if (auto intake = CountIntake(element, node.id)) {
    const std::lock_guard<std::mutex> lock(outputs_mutex_);
    intakes_.push_back(std::move(intake));
  }
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
    // What elements say of themselves while they end (a recorder of its last file) would be flushed
    // on the way to NULL.
    OnMainLoop([&] { gst_element_set_state(pipeline, GST_STATE_READY); });
    DrainBus(GST_MESSAGE_ELEMENT);
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

void Pipeline::Dot(uint32_t request) {
  // Not on the loop thread: it may hang in the very call for which the picture is wanted.
  std::thread([self = shared_from_this(), request] {
    self->Answer(request, [&] {
      std::set<std::string> secrets;
      ForEachNode(self->spec_, [&](const NodeSpec& node) {
        secrets.insert(node.secret.begin(), node.secret.end());
      });
      JsonWriter json;
      return json.String(DumpDot(self->RequireTopBin().get(), secrets)).Take();
    });
  }).detach();
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
  json.EndObject().Key("entered").BeginObject();
  for (const auto& intake : intakes_) json.Key(intake->node).Uint(intake->buffers);
  return json.EndObject().EndObject().Take();
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

Owned<GstElement> Pipeline::RequireTopBin() const {
  const std::lock_guard<std::mutex> lock(top_bin_mutex_);
  if (top_bin_ != nullptr) return Ref(top_bin_.get());
  throw Failure(kPipelineFailed, "Pipeline \"" + spec_.id + "\" was not built");
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
