// Measures one thing of a model on a GPU in a process of its own and prints one line of JSON;
// bench/infer-gpu.mjs makes the calls and compares.
//
//   gpu_bench bare LIBRARY MODEL SECONDS PROVIDER BATCH THREADS
//     ONNX Runtime alone: THREADS loops on one session, each with BATCH pictures a Run.
//   gpu_bench element LIBRARY CONFIG SECONDS PROVIDER BATCH STREAMS CLIP
//     STREAMS graphs, appsrc ! slinfer ! fakesink, unpaced, on decoded pictures of the clip.
//   gpu_bench decode LIBRARY CONFIG SECONDS PROVIDER BATCH STREAMS CLIP
//     The same with a decoder in front: filesrc ! qtdemux ! h264parse ! avdec_h264 ! queue.
//   gpu_bench objects LIBRARY CONFIG FRAMES PROVIDER BATCH STREAMS CLIP
//     What slinfer finds on the clip's first FRAMES frames, a line for each object.

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>
#include <gst/video/gstvideometa.h>
#include <gst/video/video.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"
#include "core/infer/session.h"

namespace {

using Clock = std::chrono::steady_clock;
using sightline::Provider;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

Provider ProviderOf(const std::string& name) {
  if (name == "cuda") return Provider::kCuda;
  if (name == "tensorrt") return Provider::kTensorRt;
  return Provider::kCpu;
}

// BATCH pictures of noise, and memory for what comes out.
void RunLoop(const sightline::Session& session, int64_t batch, const std::atomic<bool>& stop,
             std::atomic<long>& runs) {
  std::vector<int64_t> dims = session.inputs()[0].dims;
  dims[0] = batch;
  const size_t floats = sightline::CountElements(dims);
  const std::shared_ptr<float> pictures = session.AllocateInput(floats);
  unsigned noise = 1;
  for (size_t i = 0; i < floats; ++i) {
    pictures.get()[i] = static_cast<float>((noise = noise * 1664525U + 1) >> 24);
  }
  const sightline::OrtTensor input = session.WrapFloats(pictures.get(), dims);
  std::vector<const char*> names;
  std::vector<std::vector<float>> memory;
  std::vector<sightline::OrtTensor> tensors;
  std::vector<OrtValue*> values;
  for (const sightline::TensorSpec& output : session.outputs()) {
    std::vector<int64_t> shape = output.dims;
    shape[0] = batch;
    memory.emplace_back(sightline::CountElements(shape));
    tensors.push_back(session.WrapFloats(memory.back().data(), shape));
    names.push_back(output.name.c_str());
    values.push_back(tensors.back().get());
  }
  while (!stop) {
    session.Run(input.get(), names, values.data());
    ++runs;
  }
}

int RunBare(char** args) {
  const double seconds = std::atof(args[2]);
  const int batch = std::atoi(args[4]);
  sightline::SessionOptions options;
  options.model_path = args[1];
  options.provider = ProviderOf(args[3]);
  const Clock::time_point opened = Clock::now();
  const sightline::Session session(sightline::OrtLibrary::Load(args[0]), options);
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  const int count = std::atoi(args[5]);
  std::vector<std::atomic<long>> runs(static_cast<size_t>(count));
  for (auto& own : runs) threads.emplace_back([&] { RunLoop(session, batch, stop, own); });
  const auto total = [&] {
    long sum = 0;
    for (const auto& own : runs) sum += own;
    return sum;
  };
  const auto warm = [&] {
    for (const auto& own : runs) {
      if (own < 5) return false;
    }
    return true;
  };
  while (!warm()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const double ready = SecondsSince(opened);
  const Clock::time_point start = Clock::now();
  const double cpu = CpuSeconds();
  const long before = total();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double frames = static_cast<double>((total() - before) * batch);
  const double took = SecondsSince(start);
  const double cpu_ms = 1e3 * (CpuSeconds() - cpu) / frames;
  stop = true;
  for (std::thread& thread : threads) thread.join();
  std::printf("{\"fps\":%.1f,\"cpuMsPerFrame\":%.3f,\"readySeconds\":%.2f}\n", frames / took,
              cpu_ms, ready);
  return 0;
}

struct Pictures {
  GstCaps* caps = nullptr;
  std::vector<GstBuffer*> buffers;
};

struct Stream {
  GstElement* pipeline = nullptr;
  const Pictures* pictures = nullptr;
  size_t next = 0;
  std::atomic<long> frames{0};
};

GstElement* Parse(const std::string& text) {
  GError* error = nullptr;
  GstElement* pipeline = gst_parse_launch(text.c_str(), &error);
  if (error != nullptr) throw std::runtime_error(error->message);
  return pipeline;
}

void AddProbe(GstElement* pipeline, const char* name, const char* pad_name,
              GstPadProbeCallback probe, gpointer data) {
  GstElement* element = gst_bin_get_by_name(GST_BIN(pipeline), name);
  GstPad* pad = gst_element_get_static_pad(element, pad_name);
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, data, nullptr);
  gst_object_unref(pad);
  gst_object_unref(element);
}

void ThrowError(GstElement* pipeline) {
  GstBus* bus = gst_element_get_bus(pipeline);
  GstMessage* message =
      gst_bus_pop_filtered(bus, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  gst_object_unref(bus);
  if (message == nullptr) return;
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, nullptr);
  }
  throw std::runtime_error(error != nullptr ? error->message : "the clip is too short");
}

std::string Decoder(const std::string& clip) {
  return "filesrc location=" + clip + " ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! ";
}

std::string Element(char** args) {
  return std::string("slinfer name=infer config-file-path=") + args[1] +
         " onnxruntime-library=" + args[0] + " execution-provider=" + args[3] +
         " gpu-required=true batch-size=" + args[4] + " ! fakesink name=out sync=false";
}

GstPadProbeReturn KeepPicture(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* pictures = static_cast<Pictures*>(data);
  if (pictures->buffers.size() >= 48) return GST_PAD_PROBE_OK;
  if (pictures->caps == nullptr) pictures->caps = gst_pad_get_current_caps(pad);
  // Into plain memory, as a decoder's pool is limited.
  pictures->buffers.push_back(gst_buffer_copy_deep(gst_pad_probe_info_get_buffer(info)));
  return GST_PAD_PROBE_OK;
}

Pictures ReadPictures(const std::string& clip) {
  Pictures pictures;
  GstElement* pipeline =
      Parse(Decoder(clip) + "identity eos-after=64 ! fakesink name=out sync=false");
  AddProbe(pipeline, "out", "sink", KeepPicture, &pictures);
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(pipeline);
  gst_message_unref(gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS)));
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
  return pictures;
}

// In the thread that carries the frame on.
void GivePicture(GstAppSrc* source, guint, gpointer data) {
  auto* stream = static_cast<Stream*>(data);
  const std::vector<GstBuffer*>& buffers = stream->pictures->buffers;
  gst_app_src_push_buffer(source, gst_buffer_copy(buffers[stream->next++ % buffers.size()]));
}

GstPadProbeReturn CountFrame(GstPad*, GstPadProbeInfo*, gpointer data) {
  ++static_cast<Stream*>(data)->frames;
  return GST_PAD_PROBE_OK;
}

void OpenStream(Stream& stream, char** args, const Pictures* pictures) {
  const std::string head = pictures != nullptr ? "appsrc name=source format=time max-buffers=1 ! "
                                               : Decoder(args[6]) + "queue max-size-buffers=4 ! ";
  stream.pipeline = Parse(head + Element(args));
  AddProbe(stream.pipeline, "out", "sink", CountFrame, &stream);
  if (pictures == nullptr) return;
  stream.pictures = pictures;
  GstElement* source = gst_bin_get_by_name(GST_BIN(stream.pipeline), "source");
  GstAppSrcCallbacks callbacks = {};
  callbacks.need_data = GivePicture;
  gst_app_src_set_callbacks(GST_APP_SRC(source), &callbacks, &stream, nullptr);
  gst_app_src_set_caps(GST_APP_SRC(source), pictures->caps);
  gst_object_unref(source);
}

int RunElement(char** args, bool decodes) {
  const double seconds = std::atof(args[2]);
  Pictures pictures;
  if (!decodes) pictures = ReadPictures(args[6]);
  std::vector<Stream> streams(static_cast<size_t>(std::atoi(args[5])));
  const Clock::time_point opened = Clock::now();
  for (Stream& stream : streams) OpenStream(stream, args, decodes ? nullptr : &pictures);
  for (Stream& stream : streams) gst_element_set_state(stream.pipeline, GST_STATE_PLAYING);
  for (Stream& stream : streams) {
    while (stream.frames < 20) {
      ThrowError(stream.pipeline);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  const double ready = SecondsSince(opened);
  const auto total = [&] {
    long sum = 0;
    for (const Stream& stream : streams) sum += stream.frames;
    return sum;
  };
  const Clock::time_point start = Clock::now();
  const double cpu = CpuSeconds();
  const long before = total();
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  const double frames = static_cast<double>(total() - before);
  const double took = SecondsSince(start);
  const double cpu_ms = 1e3 * (CpuSeconds() - cpu) / frames;
  guint64 infer_ns = 0, inferred = 0;
  gchar* provider = nullptr;
  for (Stream& stream : streams) {
    ThrowError(stream.pipeline);
    GstElement* infer = gst_bin_get_by_name(GST_BIN(stream.pipeline), "infer");
    guint64 one_ns = 0, one = 0;
    g_free(provider);
    g_object_get(infer, "total-infer-ns", &one_ns, "frames-inferred", &one, "provider-in-use",
                 &provider, nullptr);
    infer_ns += one_ns;
    inferred += one;
    gst_object_unref(infer);
  }
  std::printf(
      "{\"fps\":%.1f,\"cpuMsPerFrame\":%.3f,\"readySeconds\":%.2f,\"meanInferMs\":%.2f,"
      "\"provider\":\"%s\"}\n",
      frames / took, cpu_ms, ready,
      1e-6 * static_cast<double>(infer_ns) / static_cast<double>(inferred), provider);
  std::fflush(stdout);
  std::_Exit(0);
}

GstPadProbeReturn PrintObjects(GstPad*, GstPadProbeInfo* info, gpointer data) {
  auto* stream = static_cast<Stream*>(data);
  const long frame = stream->frames++;
  gpointer state = nullptr;
  while (GstMeta* meta =
             gst_buffer_iterate_meta_filtered(gst_pad_probe_info_get_buffer(info), &state,
                                              GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE)) {
    auto* region = reinterpret_cast<GstVideoRegionOfInterestMeta*>(meta);
    const GstStructure* found = gst_video_region_of_interest_meta_get_param(region, "detection");
    double score = 0, left = 0, top = 0, right = 0, bottom = 0;
    gst_structure_get(found, "confidence", G_TYPE_DOUBLE, &score, "x_min", G_TYPE_DOUBLE, &left,
                      "y_min", G_TYPE_DOUBLE, &top, "x_max", G_TYPE_DOUBLE, &right, "y_max",
                      G_TYPE_DOUBLE, &bottom, nullptr);
    std::printf("{\"frame\":%ld,\"label\":\"%s\",\"score\":%.9g,\"box\":[%.9g,%.9g,%.9g,%.9g]}\n",
                frame, g_quark_to_string(region->roi_type), score, left, top, right, bottom);
  }
  return GST_PAD_PROBE_OK;
}

int RunObjects(char** args) {
  Stream stream;
  stream.pipeline =
      Parse(Decoder(args[6]) + "identity eos-after=" + std::to_string(std::atoi(args[2]) + 1) +
            " ! " + Element(args));
  AddProbe(stream.pipeline, "out", "sink", PrintObjects, &stream);
  gst_element_set_state(stream.pipeline, GST_STATE_PLAYING);
  GstBus* bus = gst_element_get_bus(stream.pipeline);
  GstMessage* message = gst_bus_timed_pop_filtered(
      bus, GST_CLOCK_TIME_NONE, static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_EOS));
  GError* error = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error(message, &error, nullptr);
    throw std::runtime_error(error->message);
  }
  std::fflush(stdout);
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc == 8 && std::strcmp(argv[1], "bare") == 0) return RunBare(argv + 2);
    if (argc == 9) {
      gst_init(nullptr, nullptr);
      if (std::strcmp(argv[1], "element") == 0) return RunElement(argv + 2, false);
      if (std::strcmp(argv[1], "decode") == 0) return RunElement(argv + 2, true);
      if (std::strcmp(argv[1], "objects") == 0) return RunObjects(argv + 2);
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_bench: %s\n", error.what());
    return 1;
  }
  std::fprintf(stderr, "gpu_bench: see the head of native/bench/gpu_bench.cc\n");
  return 2;
}
