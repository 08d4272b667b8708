// Measures one thing in a process of its own and prints one line of JSON; bench/infer.mjs
// interleaves the calls and compares.
//
//   infer_bench bare LIBRARY MODEL SECONDS THREADS SESSIONS CORES
//     ONNX Runtime alone on tensors that are allocated once: THREADS loops, each on the next of
//     CORES
//     ("0,1"), on one session or on SESSIONS of them.
//   infer_bench pipeline LIBRARY CONFIG SECONDS CLIP INFER_CORES DECODE_CORES
//     filesrc ! decode ! queue ! slinfer ! fakesink, unpaced, one pipeline for each of INFER_CORES.

#include <gst/gst.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/infer/session.h"

namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double CpuSeconds(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void PinThread(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set) != 0) {
    throw std::runtime_error("cannot run on core " + std::to_string(core));
  }
}

std::vector<int> ParseCores(const std::string& text) {
  std::vector<int> cores;
  std::istringstream list(text);
  for (std::string item; std::getline(list, item, ',');) cores.push_back(std::stoi(item));
  return cores;
}

// One loop's memory and what it did.
struct Loop {
  std::vector<float> input;
  std::vector<std::vector<float>> outputs;
  long frames = 0;
  double seconds = 0;
  double cpu_seconds = 0;
};

void RunLoop(const sightline::Session& session, int core, double seconds, Loop& loop) {
  PinThread(core);
  std::vector<int64_t> dims = session.inputs()[0].dims;
  dims[0] = 1;
  loop.input.assign(sightline::CountElements(dims), 100.0f);
  const sightline::OrtTensor input = session.WrapFloats(loop.input.data(), dims);
  std::vector<const char*> names;
  std::vector<sightline::OrtTensor> tensors;
  std::vector<OrtValue*> values;
  for (const sightline::TensorSpec& output : session.outputs()) {
    std::vector<int64_t> shape = output.dims;
    shape[0] = 1;
    loop.outputs.emplace_back(sightline::CountElements(shape));
    tensors.push_back(session.WrapFloats(loop.outputs.back().data(), shape));
    names.push_back(output.name.c_str());
    values.push_back(tensors.back().get());
  }
  for (int i = 0; i < 5; ++i) session.Run(input.get(), names, values.data());
  const Clock::time_point start = Clock::now();
  const double cpu = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
  while (SecondsSince(start) < seconds) {
    session.Run(input.get(), names, values.data());
    ++loop.frames;
  }
  loop.seconds = SecondsSince(start);
  loop.cpu_seconds = CpuSeconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
}

void Print(double fps, double cpu_ms) {
  std::printf("{\"fps\":%.3f,\"cpuMsPerFrame\":%.3f}\n", fps, cpu_ms);
}

int RunBare(char** args) {
  const auto& library = sightline::OrtLibrary::Load(args[0]);
  const double seconds = std::atof(args[2]);
  const std::vector<int> cores = ParseCores(args[5]);
  std::vector<std::unique_ptr<sightline::Session>> sessions;
  for (int i = 0; i < std::atoi(args[4]); ++i) {
    sessions.push_back(
        std::make_unique<sightline::Session>(library, sightline::SessionOptions{args[1], 1}));
  }
  std::vector<Loop> loops(static_cast<size_t>(std::atoi(args[3])));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < loops.size(); ++i) {
    threads.emplace_back([&, i] {
      RunLoop(*sessions[i % sessions.size()], cores[i % cores.size()], seconds, loops[i]);
    });
  }
  double fps = 0, cpu = 0;
  long frames = 0;
  for (size_t i = 0; i < loops.size(); ++i) {
    threads[i].join();
    fps += static_cast<double>(loops[i].frames) / loops[i].seconds;
    cpu += loops[i].cpu_seconds;
    frames += loops[i].frames;
  }
  Print(fps, 1e3 * cpu / static_cast<double>(frames));
  return 0;
}

// Where a stream was when a frame left the detector.
struct Mark {
  long frames = 0;
  Clock::time_point time;
  double cpu_seconds = 0;  // of the detector's thread
};

struct Stream {
  GstElement* pipeline = nullptr;
  int infer_core = 0;
  int decode_core = 0;
  std::mutex mutex;
  Mark last;

  Mark Last() {
    std::lock_guard<std::mutex> lock(mutex);
    return last;
  }
};

GstPadProbeReturn PinInfer(GstPad*, GstPadProbeInfo*, gpointer data) {
  PinThread(static_cast<Stream*>(data)->infer_core);
  return GST_PAD_PROBE_REMOVE;
}

GstPadProbeReturn PinDecode(GstPad*, GstPadProbeInfo*, gpointer data) {
  PinThread(static_cast<Stream*>(data)->decode_core);
  return GST_PAD_PROBE_REMOVE;
}

GstPadProbeReturn CountFrame(GstPad*, GstPadProbeInfo*, gpointer data) {
  auto* stream = static_cast<Stream*>(data);
  std::lock_guard<std::mutex> lock(stream->mutex);
  ++stream->last.frames;
  stream->last.time = Clock::now();
  stream->last.cpu_seconds = CpuSeconds(CLOCK_THREAD_CPUTIME_ID);
  return GST_PAD_PROBE_OK;
}

void AddProbe(Stream& stream, const char* name, const char* pad_name, GstPadProbeCallback probe) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(stream.pipeline), name);
  GstPad* pad = gst_element_get_static_pad(element, pad_name);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, &stream, nullptr);
  gst_object_unref(pad);
  gst_object_unref(element);
}

void OpenStream(Stream& stream, char** args) {
  const std::string text = "filesrc location=" + std::string(args[3]) +
                           " ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! "
                           "queue name=queue max-size-buffers=8 max-size-bytes=0 max-size-time=0 ! "
                           "slinfer name=infer config-file-path=" +
                           args[1] + " onnxruntime-library=" + args[0] + " ! fakesink sync=false";
  GError* error = nullptr;
  stream.pipeline = gst_parse_launch(text.c_str(), &error);
  if (error != nullptr) throw std::runtime_error(error->message);
  AddProbe(stream, "infer", "sink", PinInfer);
  AddProbe(stream, "queue", "sink", PinDecode);
  AddProbe(stream, "infer", "src", CountFrame);
}

// Waits until the stream has inferred this many frames.
void AwaitFrames(Stream& stream, long frames) {
  GstBus* bus = gst_element_get_bus(stream.pipeline);
  while (stream.Last().frames < frames) {
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus, 20 * GST_MSECOND, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
    if (message == nullptr) continue;
    GError* error = nullptr;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      gst_message_parse_error(message, &error, nullptr);
    }
    throw std::runtime_error(error != nullptr ? error->message : "the clip is too short");
  }
  gst_object_unref(bus);
}

int RunPipeline(char** args) {
  gst_init(nullptr, nullptr);
  const double seconds = std::atof(args[2]);
  const std::vector<int> infer_cores = ParseCores(args[4]);
  const std::vector<int> decode_cores = ParseCores(args[5]);
  std::vector<Stream> streams(infer_cores.size());
  for (size_t i = 0; i < streams.size(); ++i) {
    streams[i].infer_core = infer_cores[i];
    streams[i].decode_core = decode_cores[i % decode_cores.size()];
    OpenStream(streams[i], args);
  }
  for (Stream& stream : streams) gst_element_set_state(stream.pipeline, GST_STATE_PLAYING);
  for (Stream& stream : streams) AwaitFrames(stream, 10);

  // From one frame's end to another's, so that no part of a frame is lost at the window's edges.
  std::vector<Mark> starts;
  for (Stream& stream : streams) starts.push_back(stream.Last());
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  double fps = 0, cpu = 0;
  long frames = 0;
  for (size_t i = 0; i < streams.size(); ++i) {
    AwaitFrames(streams[i], starts[i].frames + 1);  // an error or the clip's end in between
    const Mark end = streams[i].Last();
    const long passed = end.frames - starts[i].frames;
    fps += static_cast<double>(passed) /
           std::chrono::duration<double>(end.time - starts[i].time).count();
    cpu += end.cpu_seconds - starts[i].cpu_seconds;
    frames += passed;
  }
  for (Stream& stream : streams) {
    gst_element_set_state(stream.pipeline, GST_STATE_NULL);
    gst_object_unref(stream.pipeline);
  }
  Print(fps, 1e3 * cpu / static_cast<double>(frames));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 8 && std::strcmp(argv[1], "bare") == 0) return RunBare(argv + 2);
    if (argc == 8 && std::strcmp(argv[1], "pipeline") == 0) return RunPipeline(argv + 2);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "infer_bench: %s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "infer_bench: see the head of native/bench/infer_bench.cc\n");
  return 2;
}
