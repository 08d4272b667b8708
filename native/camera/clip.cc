#include "camera/clip.h"

#include <gst/app/gstappsink.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace sightline::camera {
namespace {

constexpr GstClockTime kReadLimit = 60 * GST_SECOND;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr GstClockTime kDefaultFrameDuration = GST_SECOND / 25;

/** The reading pipeline; going out of scope stops it. */
class Reader {
 public:
  explicit Reader(const std::string& path) {
    GError* error = nullptr;
    pipeline_.reset(gst_parse_launch(
        "filesrc name=file ! parsebin ! h264parse config-interval=-1 ! "
        "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units sync=false",
        &error));
    const Owned<GError> owned_error(error);
    if (error != nullptr) throw std::runtime_error(error->message);
    const auto file = Adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
    g_object_set(file.get(), "location", path.c_str(), nullptr);
    sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "units"));
    bus_.reset(gst_element_get_bus(pipeline_.get()));
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  }
  ~Reader() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /** The next access unit; empty at the end of the clip. */
  Owned<GstSample> Next() {
    const gint64 deadline = g_get_monotonic_time() + GST_TIME_AS_USECONDS(kReadLimit);
    while (g_get_monotonic_time() < deadline) {
      auto sample =
          Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 100 * GST_MSECOND));
      if (sample) return sample;
      ThrowOnError();
      if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get()))) return nullptr;
    }
    throw std::runtime_error("no H.264 access unit within 60 s");
  }

 private:
  void ThrowOnError() {
    const auto message = Adopt(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
    if (!message) return;
    GError* error = nullptr;
    gst_message_parse_error(message.get(), &error, nullptr);
    const Owned<GError> owned_error(error);
    // What a demuxer says when nothing takes its streams: it names no reason of its own.
    if (g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED)) {
      throw std::runtime_error("no H.264 video that can be read in it");
    }
    throw std::runtime_error(error->message);
  }

  Owned<GstElement> pipeline_;
  Owned<GstElement> sink_;
  Owned<GstBus> bus_;
};

GstClockTime FrameDuration(GstCaps* caps) {
  gint numerator = 0;
  gint denominator = 1;
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &numerator,
                             &denominator);
  if (numerator <= 0) return kDefaultFrameDuration;
  return gst_util_uint64_scale_int(GST_SECOND, denominator, numerator);
}

/** Presentation order from the time stamps; decode order where the container has none. */
void RankUnits(Clip& clip) {
  std::vector<std::size_t> order(clip.units.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const bool stamped = std::all_of(
      clip.units.begin(), clip.units.end(),
      [](const AccessUnit& unit) { return GST_BUFFER_PTS_IS_VALID(unit.buffer.get()); });
  if (stamped) {
    std::stable_sort(order.begin(), order.end(), [&clip](std::size_t left, std::size_t right) {
      return GST_BUFFER_PTS(clip.units[left].buffer.get()) <
             GST_BUFFER_PTS(clip.units[right].buffer.get());
    });
  }
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    clip.units[order[rank]].rank = rank;
    if (order[rank] > rank) clip.reorder_depth = std::max(clip.reorder_depth, order[rank] - rank);
  }
}

}  // namespace

Clip ReadClip(const std::string& path) try {
  Reader reader(path);
  Clip clip;
  std::size_t bytes = 0;
  while (const auto sample = reader.Next()) {
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    bytes += gst_buffer_get_size(buffer);
    if (bytes > kMaxBytes) throw std::runtime_error("longer than the 1 GiB kept in memory");
    if (!clip.caps) clip.caps.reset(gst_caps_ref(gst_sample_get_caps(sample.get())));
    clip.units.push_back({Adopt(gst_buffer_ref(buffer)), 0});
  }
  if (clip.units.empty()) throw std::runtime_error("no H.264 video in it");
  clip.frame_duration = FrameDuration(clip.caps.get());
  RankUnits(clip);
  return clip;
} catch (const std::runtime_error& error) {
  throw std::runtime_error("Cannot read the clip " + path + ": " + error.what());
}

}  // namespace sightline::camera
