#include "addon/pipeline_object.h"

#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "addon/graph_reader.h"
#include "addon/record_writer.h"

namespace sightline::addon {
namespace {

constexpr std::chrono::milliseconds kExitLimit{3000};

size_t ReadSize(const Napi::Object& options, const char* name, size_t fallback) {
  const Napi::Value value = options.Get(name);
  if (value.IsUndefined()) return fallback;
  if (!value.IsNumber() || value.As<Napi::Number>().DoubleValue() < 1) {
    throw Napi::TypeError::New(options.Env(),
                               std::string("options.") + name + " must be a positive number");
  }
  return static_cast<size_t>(value.As<Napi::Number>().Int64Value());
}

GstState ReadState(const Napi::Value& value) {
  static const std::map<std::string, GstState> kStates = {{"null", GST_STATE_NULL},
                                                          {"ready", GST_STATE_READY},
                                                          {"paused", GST_STATE_PAUSED},
                                                          {"playing", GST_STATE_PLAYING}};
  const auto found = kStates.find(value.ToString().Utf8Value());
  if (found == kStates.end()) {
    throw Napi::TypeError::New(value.Env(), "state must be null, ready, paused or playing");
  }
  return found->second;
}

uint32_t Request(const Napi::CallbackInfo& info) {
  if (!info[0].IsNumber()) throw Napi::TypeError::New(info.Env(), "request must be a number");
  return info[0].As<Napi::Number>().Uint32Value();
}

// All records in one buffer, with an index.
Napi::Object Concatenate(Napi::Env env, const std::vector<Record>& records) {
  size_t total = 0;
  for (const auto& record : records) total += record.size();
  auto data = Napi::Buffer<uint8_t>::New(env, total);
  auto index = Napi::Uint32Array::New(env, records.size() * 4);
  size_t offset = 0;
  for (size_t i = 0; i < records.size(); i++) {
    const Record& record = records[i];
    if (record.size() > 0) std::memcpy(data.Data() + offset, record.data(), record.size());
    index[i * 4] = record.source();
    index[i * 4 + 1] = record.kind();
    index[i * 4 + 2] = static_cast<uint32_t>(offset);
    index[i * 4 + 3] = static_cast<uint32_t>(record.size());
    offset += record.size();
  }
  auto batch = Napi::Object::New(env);
  batch.Set("data", data);
  batch.Set("index", index);
  return batch;
}

}  // namespace

Napi::Function PipelineObject::Define(Napi::Env env) {
  return DefineClass(env, "Pipeline",
                     {InstanceMethod<&PipelineObject::Build>("build"),
                      InstanceMethod<&PipelineObject::SetState>("setState"),
                      InstanceMethod<&PipelineObject::GetProperties>("getProperties"),
                      InstanceMethod<&PipelineObject::SetProperties>("setProperties"),
                      InstanceMethod<&PipelineObject::Dot>("dot"),
                      InstanceMethod<&PipelineObject::SendEos>("sendEos"),
                      InstanceMethod<&PipelineObject::Counters>("counters"),
                      InstanceMethod<&PipelineObject::Outputs>("outputs"),
                      InstanceMethod<&PipelineObject::Busy>("busy"),
                      InstanceMethod<&PipelineObject::Dispose>("dispose")});
}

// new Pipeline(graph, {watch, count, fd?, maxRecords?, maxRecordBytes?, maxEvents?}, onWake)
PipelineObject::PipelineObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<PipelineObject>(info) {
  const Napi::Env env = info.Env();
  if (!info[1].IsObject()) throw Napi::TypeError::New(env, "options must be an object");
  if (!info[2].IsFunction()) throw Napi::TypeError::New(env, "onWake must be a function");
  GraphSpec spec = ReadGraph(info[0]);
  const auto options = info[1].As<Napi::Object>();
  PipelineOptions pipeline_options;
  pipeline_options.watch = ReadStrings(options.Get("watch"), "options.watch");
  pipeline_options.count = ReadStrings(options.Get("count"), "options.count");
  EventQueue::Limits limits;
  limits.max_records = ReadSize(options, "maxRecords", limits.max_records);
  limits.max_record_bytes = ReadSize(options, "maxRecordBytes", limits.max_record_bytes);
  limits.max_events = ReadSize(options, "maxEvents", limits.max_events);
  events_ = std::make_shared<EventQueue>(limits);
  if (!options.Get("fd").IsUndefined()) {
    const auto writer = RecordWriter::For(static_cast<int>(ReadSize(options, "fd", 0)));
    writer->AddListener(events_);
    pipeline_options.records = writer;
  }
  pipeline_ = std::make_shared<Pipeline>(std::move(spec), std::move(pipeline_options), events_);

  // The function's finalizer holds the queue, so that a last wake-up finds it.
  auto* held = new std::shared_ptr<EventQueue>(events_);
  wake_ = WakeFunction::New(
      env, info[2].As<Napi::Function>(), "sightline.pipeline", 0, 1, events_.get(),
      [](Napi::Env, std::shared_ptr<EventQueue>* queue, EventQueue*) { delete queue; }, held);
  events_->SetWake([wake = wake_]() mutable { wake.NonBlockingCall(); });
  // Hooks run newest first: this one before the function's own, while it can still be called.
  napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
  Ref();  // a live pipeline is not garbage, whoever holds it
}

void PipelineObject::Wake(Napi::Env env, Napi::Function callback, EventQueue* queue, void*) {
  if (static_cast<napi_env>(env) == nullptr) return;
  const EventQueue::Batch batch = queue->Take();
  if (batch.events.empty() && batch.records.empty()) return;
  const Napi::HandleScope scope(env);
  auto events = Napi::Array::New(env, batch.events.size());
  for (uint32_t i = 0; i < batch.events.size(); i++) {
    events.Set(i, Napi::String::New(env, batch.events[i]));
  }
  std::vector<napi_value> arguments = {events};
  if (!batch.records.empty()) arguments.push_back(Concatenate(env, batch.records));
  // Called plainly: when the environment is ending, the wrapper's own error handling cannot run. A
  // throw out of here would be swallowed with a warning, so it becomes an uncaught exception.
  const napi_status status = napi_call_function(env, env.Undefined(), callback, arguments.size(),
                                                arguments.data(), nullptr);
  napi_value error = nullptr;
  if (status == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &error) == napi_ok) {
    napi_fatal_exception(env, error);
  }
}

Pipeline& PipelineObject::Live(const Napi::CallbackInfo& info) {
  if (pipeline_ == nullptr) throw Napi::Error::New(info.Env(), "The pipeline is closed");
  return *pipeline_;
}

void PipelineObject::Build(const Napi::CallbackInfo& info) { Live(info).Build(Request(info)); }

void PipelineObject::SetState(const Napi::CallbackInfo& info) {
  Live(info).SetState(Request(info), ReadState(info[1]), info[2].ToBoolean());
}

void PipelineObject::GetProperties(const Napi::CallbackInfo& info) {
  if (!info[1].IsArray()) throw Napi::TypeError::New(info.Env(), "paths must be an array");
  const auto array = info[1].As<Napi::Array>();
  std::vector<Pipeline::PropertyPath> paths;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const auto path = ReadStrings(array.Get(i), "paths[" + std::to_string(i) + "]");
    if (path.size() != 2) throw Napi::TypeError::New(info.Env(), "a path is [node, property]");
    paths.emplace_back(path[0], path[1]);
  }
  Live(info).GetProperties(Request(info), std::move(paths));
}

// setProperties(request, [[node, property, value]...])
void PipelineObject::SetProperties(const Napi::CallbackInfo& info) {
  if (!info[1].IsArray()) throw Napi::TypeError::New(info.Env(), "changes must be an array");
  const auto array = info[1].As<Napi::Array>();
  std::vector<Pipeline::PropertyChange> changes;
  for (uint32_t i = 0; i < array.Length(); i++) {
    const std::string path = "changes[" + std::to_string(i) + "]";
    const Napi::Value item = array.Get(i);
    if (!item.IsArray() || item.As<Napi::Array>().Length() != 3) {
      throw Napi::TypeError::New(info.Env(), path + " must be [node, property, value]");
    }
    const auto change = item.As<Napi::Array>();
    changes.push_back({Napi::Value(change.Get(0u)).ToString(),
                       Napi::Value(change.Get(1u)).ToString(),
                       ReadPropertyValue(change.Get(2u), path + "[2]")});
  }
  Live(info).SetProperties(Request(info), std::move(changes));
}

void PipelineObject::Dot(const Napi::CallbackInfo& info) { Live(info).Dot(Request(info)); }

void PipelineObject::SendEos(const Napi::CallbackInfo& info) {
  Live(info).SendEos(Request(info), ReadStrings(info[1], "nodes"));
}

Napi::Value PipelineObject::Counters(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), Live(info).CountersJson());
}

Napi::Value PipelineObject::Outputs(const Napi::CallbackInfo& info) {
  const auto& nodes = Live(info).output_nodes();
  auto array = Napi::Array::New(info.Env(), nodes.size());
  for (uint32_t i = 0; i < nodes.size(); i++) array.Set(i, nodes[i]);
  return array;
}

Napi::Value PipelineObject::Busy(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), pipeline_ != nullptr && pipeline_->busy());
}

// dispose(limitMs): true when the pipeline ended in time, false when its thread was left behind.
Napi::Value PipelineObject::Dispose(const Napi::CallbackInfo& info) {
  if (pipeline_ == nullptr) return Napi::Boolean::New(info.Env(), true);
  const auto limit = std::chrono::milliseconds(info[0].ToNumber().Int64Value());
  napi_remove_env_cleanup_hook(info.Env(), OnEnvironmentEnd, this);
  const bool ended = Teardown(limit);
  Unref();
  return Napi::Boolean::New(info.Env(), ended);
}

void PipelineObject::OnEnvironmentEnd(void* self) {
  static_cast<PipelineObject*>(self)->Teardown(kExitLimit);
}

// State NULL, loop ended and joined, and only then the way to JavaScript is released.
bool PipelineObject::Teardown(std::chrono::milliseconds limit) {
  const auto pipeline = std::exchange(pipeline_, nullptr);
  const bool ended = pipeline->Shutdown(limit);
  events_->Close();
  wake_.Release();
  return ended;
}

}  // namespace sightline::addon
