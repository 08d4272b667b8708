#include <gst/gst.h>
#include <napi.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <string>

#include "addon/black_box.h"
#include "addon/gst_ptr.h"
#include "addon/log_capture.h"
#include "addon/main_loop.h"
#include "addon/pipeline_object.h"
#include "addon/record_writer.h"

namespace sightline::addon {
namespace {

// GStreamer is initialised once a process, whichever JavaScript environment asks first.
void InitialiseGStreamer(Napi::Env env) {
  static std::once_flag once;
  static std::string failure;
  std::call_once(once, [] {
    GError* error = nullptr;
    if (!gst_init_check(nullptr, nullptr, &error)) {
      const Owned<GError> held(error);
      failure = held == nullptr ? "for an unknown reason" : held->message;
    }
  });
  if (!failure.empty()) {
    throw Napi::Error::New(env, "GStreamer cannot be initialised: " + failure);
  }
}

Napi::Value Version(const Napi::CallbackInfo& info) {
  guint major = 0;
  guint minor = 0;
  guint micro = 0;
  guint nano = 0;
  gst_version(&major, &minor, &micro, &nano);
  return Napi::String::New(info.Env(), std::to_string(major) + "." + std::to_string(minor) + "." +
                                           std::to_string(micro));
}

// The kernel kills this process when the thread that started it ends, however that came about.
void DieWithParent(const Napi::CallbackInfo& info) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    throw Napi::Error::New(info.Env(), "PR_SET_PDEATHSIG is refused");
  }
}

// Ends the process without running anything that could wait for a thread that hangs.
void ExitImmediately(const Napi::CallbackInfo& info) { _exit(info[0].ToNumber().Int32Value()); }

Napi::Value WriterStats(const Napi::CallbackInfo& info) {
  const auto stats = RecordWriter::StatsFor(info[0].ToNumber().Int32Value());
  auto object = Napi::Object::New(info.Env());
  object.Set("written", static_cast<double>(stats.written));
  object.Set("writtenBytes", static_cast<double>(stats.written_bytes));
  object.Set("pending", static_cast<double>(stats.pending));
  object.Set("pendingBytes", static_cast<double>(stats.pending_bytes));
  object.Set("error", stats.error);
  return object;
}

void ForgetWriter(const Napi::CallbackInfo& info) {
  RecordWriter::Forget(info[0].ToNumber().Int32Value());
}

void Capture(const Napi::CallbackInfo&) {
  static std::once_flag once;
  std::call_once(once, CaptureLogs);
}

Napi::Value Logs(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), TakeLogs());
}

void BlackBox(const Napi::CallbackInfo& info) {
  if (OpenBlackBox(info[0].ToNumber().Int32Value())) return;
  throw Napi::Error::New(info.Env(),
                         std::string("The black box cannot be mapped: ") + std::strerror(errno));
}

void Note(const Napi::CallbackInfo& info) {
  NoteInBlackBox(BlackBoxKind::kMilestone, 0, info[0].ToString().Utf8Value());
}

void StartMainLoop(const Napi::CallbackInfo&) { RunMainLoop(); }

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitialiseGStreamer(env);
  exports.Set("Pipeline", PipelineObject::Define(env));
  exports.Set("version", Napi::Function::New<Version>(env, "version"));
  exports.Set("dieWithParent", Napi::Function::New<DieWithParent>(env, "dieWithParent"));
  exports.Set("exitImmediately", Napi::Function::New<ExitImmediately>(env, "exitImmediately"));
  exports.Set("writerStats", Napi::Function::New<WriterStats>(env, "writerStats"));
  exports.Set("forgetWriter", Napi::Function::New<ForgetWriter>(env, "forgetWriter"));
  exports.Set("captureLogs", Napi::Function::New<Capture>(env, "captureLogs"));
  exports.Set("runMainLoop", Napi::Function::New<StartMainLoop>(env, "runMainLoop"));
  exports.Set("openBlackBox", Napi::Function::New<BlackBox>(env, "openBlackBox"));
  exports.Set("note", Napi::Function::New<Note>(env, "note"));
  exports.Set("takeLogs", Napi::Function::New<Logs>(env, "takeLogs"));
  return exports;
}

NODE_API_MODULE(sightline, Init)

}  // namespace
}  // namespace sightline::addon
