#pragma once

#include <napi.h>

#include <chrono>
#include <memory>

#include "addon/event_queue.h"
#include "addon/pipeline.h"

namespace sightline::addon {

// The JavaScript face of Pipeline. Requests carry a number of the caller's choice and are answered
// by a "reply" event with that number; events and records arrive through one callback:
//   onWake(events: string[], records?: {data: Buffer, index: Uint32Array})
// where `index` holds (output, kind, offset, length) for each record in `data`.
class PipelineObject : public Napi::ObjectWrap<PipelineObject> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PipelineObject(const Napi::CallbackInfo& info);

 private:
  static void Wake(Napi::Env env, Napi::Function callback, EventQueue* queue, void*);
  using WakeFunction = Napi::TypedThreadSafeFunction<EventQueue, void, Wake>;

  void Build(const Napi::CallbackInfo& info);
  void SetState(const Napi::CallbackInfo& info);
  void GetProperties(const Napi::CallbackInfo& info);
  void SetProperties(const Napi::CallbackInfo& info);
  void Dot(const Napi::CallbackInfo& info);
  void SendEos(const Napi::CallbackInfo& info);
  Napi::Value Counters(const Napi::CallbackInfo& info);
  Napi::Value Outputs(const Napi::CallbackInfo& info);
  Napi::Value Busy(const Napi::CallbackInfo& info);
  Napi::Value Dispose(const Napi::CallbackInfo& info);

  Pipeline& Live(const Napi::CallbackInfo& info);
  static void OnEnvironmentEnd(void* self);
  bool Teardown(std::chrono::milliseconds limit);

  std::shared_ptr<EventQueue> events_;
  std::shared_ptr<Pipeline> pipeline_;  // null once disposed
  WakeFunction wake_;
};

}  // namespace sightline::addon
