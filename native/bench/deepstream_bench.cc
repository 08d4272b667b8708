// Reads batches that are built by hand and writes their messages, as sldsmeta does for each frame,
// and prints one line of JSON; bench/deepstream-meta.ts builds and calls it.
//
//   deepstream_bench FRAMES
//     FRAMES frames of two cameras, 30 objects each: all tracked, every third with two classifier
//     labels, every second with analytics, a few made up by the tracker, boxes scaled and unpadded.

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <new>
#include <vector>

#include "core/encode/message_encoder.h"
#include "deepstream/reader/frame_mark.h"
#include "deepstream/reader/frame_numbers.h"
#include "deepstream/reader/frame_reader.h"
#include "tests/support/ds_batch.h"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace sightline;
using Clock = std::chrono::steady_clock;

constexpr int kObjects = 30;
constexpr int kWarmUp = 10'000;
// Every object's track gives way to a new one now and then.
constexpr int kFramesPerTrack = 300;

void AddObjects(test::DsBatch* batch, nvds::NvDsFrameMeta* frame) {
  for (int i = 0; i < kObjects; ++i) {
    auto* object = batch->AddObject(frame, i % 4, i % 4 == 0 ? "person" : "car",
                                    60 + 40 * static_cast<float>(i), 300, 90, 200, 0.75F);
    object->rect_params.left += 2;
    test::DsBatch::Track(object, static_cast<guint64>(i), 0.9F);
    if (i % 10 == 9) test::DsBatch::Invent(object);
    if (i % 3 == 0) {
      batch->AddLabels(object, 2, "colour", {{"red", 0.8F, 3}});
      batch->AddLabels(object, 3, "make", {{"a maker of cars", 0.7F, 11}});
    }
    if (i % 2 == 0) {
      nvds::NvDsAnalyticsObjInfo info;
      info.roiStatus = {"entrance", "yard"};
      info.lcStatus = {"gate"};
      info.dirStatus = " DIR:inbound ";
      info.objStatus = " ROI:entrance  DIR:inbound ";
      info.unique_id = 0;
      batch->AddExtra(object, nvds::NVDS_OBJ_META_NVDSANALYTICS, info);
    }
  }
  nvds::NvDsAnalyticsFrameMeta counts;
  counts.objInROIcnt = {{"entrance", 12}, {"yard", 15}};
  counts.ocStatus = {{"yard", true}};
  counts.objLCCurrCnt = {{"gate", 1}, {"exit", 0}};
  counts.objLCCumCnt = {{"gate", 1000}, {"exit", 900}};
  counts.unique_id = 0;
  batch->AddExtra(frame, nvds::NVDS_FRAME_META_NVDSANALYTICS, counts);
}

std::vector<nvds::NvDsFrameMeta*> MakeFrames(test::DsBatch* batch) {
  std::vector<nvds::NvDsFrameMeta*> frames;
  for (guint pad : {0U, 1U}) {
    auto* frame = batch->AddFrame(pad, 0);
    frame->source_frame_width = pad == 0 ? 2560 : 640;
    frame->source_frame_height = pad == 0 ? 1440 : 480;
    frame->pipeline_width = 1920;
    frame->pipeline_height = 1080;
    frame->ntp_timestamp = 1'700'000'000'000'000'000;
    AddObjects(batch, frame);
    frames.push_back(frame);
  }
  return frames;
}

struct Camera {
  FrameNumbers numbers;
  FrameGaps gaps;
  TrackMemory tracks;
};

// What an element does for one frame, apart from its buffers.
class Writer {
 public:
  explicit Writer(test::DsBatch* batch) : batch_(batch), reader_({true, 960, 544}) {
    message_.sensor_id = message_.identity.stream_id = "camera-1";
    message_.identity.session = "20261126-1";
    message_.model_name = "peoplenet";
    message_.model_version = "2.6";
    message_.backend = "deepstream";
    message_.execution_provider = "TensorRT";
    message_.tracker = "nvdcf";
  }
  std::size_t Write(nvds::NvDsFrameMeta* frame) {
    Camera& camera = cameras_[frame->pad_index];
    message_.identity.sequence = camera.numbers.Number(frame->frame_num);
    message_.identity.capture_unix_ns = frame->ntp_timestamp;
    message_.identity.capture_clock = CaptureClock::kRtcpSenderReport;
    message_.frames_skipped = camera.gaps.Before(message_.identity.sequence);
    reader_.Read(*batch_->get(), *frame, &camera.tracks, &message_);
    return encoder_.Encode(message_).size();
  }

 private:
  test::DsBatch* batch_;
  FrameReader reader_;
  FrameMessage message_;
  MessageEncoder encoder_;
  Camera cameras_[2];
};

// The next frame of a camera: its number, and new ids for tracks that ended.
void Advance(nvds::NvDsFrameMeta* frame, int frame_num) {
  frame->frame_num = frame_num;
  guint64 slot = 0;
  for (GList* at = frame->obj_meta_list; at != nullptr; at = at->next, ++slot) {
    const guint64 age = static_cast<guint64>(frame_num) + slot * (kFramesPerTrack / kObjects);
    static_cast<nvds::NvDsObjectMeta*>(at->data)->object_id =
        (age / kFramesPerTrack) * kObjects + slot;
  }
}

long ResidentKilobytes() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

double At(const std::vector<float>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

int Run(int count) {
  test::DsBatch batch;
  const auto frames = MakeFrames(&batch);
  Writer writer(&batch);
  // Not zeros, which would be memory that is not there until it is written to.
  std::vector<float> microseconds(static_cast<std::size_t>(count), -1);
  std::size_t bytes = 0;
  const auto write = [&](int i) {
    nvds::NvDsFrameMeta* frame = frames[static_cast<std::size_t>(i) % frames.size()];
    Advance(frame, i / static_cast<int>(frames.size()));
    const auto start = Clock::now();
    bytes = writer.Write(frame);
    return std::chrono::duration<float, std::micro>(Clock::now() - start).count();
  };
  for (int i = 0; i < kWarmUp; ++i) write(i);
  const std::size_t allocations_before = allocations;
  const std::size_t in_use_before = mallinfo2().uordblks;
  const long resident_before = ResidentKilobytes();
  for (int i = 0; i < count; ++i) microseconds[static_cast<std::size_t>(i)] = write(kWarmUp + i);
  const std::size_t allocated = allocations - allocations_before;
  const auto grown = static_cast<long>(mallinfo2().uordblks) - static_cast<long>(in_use_before);
  const long resident = ResidentKilobytes() - resident_before;
  std::sort(microseconds.begin(), microseconds.end());
  std::printf(
      "{\"frames\":%d,\"messageBytes\":%zu,\"medianUs\":%.2f,\"p99Us\":%.2f,\"allocations\":%zu,"
      "\"heapGrowthBytes\":%ld,\"residentGrowthKb\":%ld}\n",
      count, bytes, At(microseconds, 0.5), At(microseconds, 0.99), allocated, grown, resident);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const int count = argc == 2 ? std::atoi(argv[1]) : 0;
  if (count > 0) return Run(count);
  std::fprintf(stderr, "deepstream_bench FRAMES\n");
  return 2;
}
