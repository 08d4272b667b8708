#include "camera/overlay.h"

#include <gst/video/video.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "camera/block_code.h"
#include "camera/unit_reader.h"

namespace sightline::camera {
namespace {

constexpr int kFirstPictureTries = 50;

/** One thread decodes: several would hold frames back. */
std::string Description(const Clip& clip, std::uint64_t frame_duration) {
  const std::string codec = clip.codec == Codec::kH264 ? "h264" : "h265";
  const auto frames_a_second = std::max<std::uint64_t>(1, GST_SECOND / frame_duration);
  return "appsrc name=input format=time is-live=true caps=video/x-" + codec +
         ",stream-format=byte-stream,alignment=au ! " + codec + "parse ! avdec_" + codec +
         " max-threads=1 ! videoconvert ! video/x-raw,format=I420 ! identity "
         "name=draw ! "
         "x264enc tune=zerolatency speed-preset=ultrafast bframes=0 "
         "key-int-max=" +
         std::to_string(frames_a_second) +
         " ! h264parse config-interval=-1 ! "
         "video/x-h264,stream-format=byte-stream,alignment=au ! appsink "
         "name=units sync=false";
}

std::uint64_t WallMs() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1'000'000;
}

std::string Text(std::uint64_t frame, std::uint64_t wall_ms) {
  const auto seconds = static_cast<time_t>(wall_ms / 1000);
  tm utc = {};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::snprintf(text, sizeof(text), "%llu %02d:%02d:%02d.%03d",
                static_cast<unsigned long long>(frame), utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(wall_ms % 1000));
  return text;
}

}  // namespace

Overlay::Overlay(Loop& loop, const Clip& clip, std::uint64_t frame_duration)
    : loop_(loop), clip_(clip), frame_duration_(frame_duration) {
  if (clip.reorder_depth > 0) throw std::runtime_error("--overlay needs a clip without B-frames");
  GError* error = nullptr;
  pipeline_.reset(gst_parse_launch(Description(clip, frame_duration).c_str(), &error));
  const Owned<GError> owned_error(error);
  if (error != nullptr) throw std::runtime_error(std::string("--overlay: ") + error->message);
  input_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "input"));
  const auto draw = Adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "draw"));
  const auto pad = Adopt(gst_element_get_static_pad(draw.get(), "src"));
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_BUFFER, &Overlay::Draw, this, nullptr);
  const auto units = Adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "units"));
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  for (int tries = 0; !first_ && tries < kFirstPictureTries; ++tries) {
    Push(tick_++);
    const auto sample =
        Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(units.get()), 200 * GST_MSECOND));
    if (sample) first_ = MakeUnit(Codec::kH264, BytesOf(gst_sample_get_buffer(sample.get())));
  }
  if (!first_) throw std::runtime_error("--overlay: the clip cannot be decoded and encoded");
  wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  loop_.Watch(wake_, EPOLLIN, [this](std::uint32_t) { HandOver(); });
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = &Overlay::OnEncoded;
  gst_app_sink_set_callbacks(GST_APP_SINK(units.get()), &callbacks, this, nullptr);
}

Overlay::~Overlay() {
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  loop_.Forget(wake_);
  close(wake_);
}

void Overlay::Start(std::function<bool()> is_wanted, Take take) {
  is_wanted_ = std::move(is_wanted);
  take_ = std::move(take);
  began_ = Loop::Now() - static_cast<std::int64_t>(tick_ * frame_duration_);
  Tick();
}

void Overlay::Tick() {
  if (is_wanted_()) Push(tick_);
  ++tick_;
  loop_.At(began_ + static_cast<std::int64_t>(tick_ * frame_duration_), [this] { Tick(); });
}

void Overlay::Push(std::uint64_t frame) {
  const AccessUnit& unit = *clip_.units[at_].unit;
  at_ = (at_ + 1) % clip_.units.size();
  GstBuffer* buffer = gst_buffer_new_memdup(unit.bytes.data(), unit.bytes.size());
  GST_BUFFER_PTS(buffer) = frame * frame_duration_;
  GST_BUFFER_DTS(buffer) = frame * frame_duration_;
  GST_BUFFER_DURATION(buffer) = frame_duration_;
  gst_app_src_push_buffer(GST_APP_SRC(input_.get()), buffer);
}

GstPadProbeReturn Overlay::Draw(GstPad* pad, GstPadProbeInfo* info, gpointer self) {
  auto* overlay = static_cast<Overlay*>(self);
  GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  const auto caps = Adopt(gst_pad_get_current_caps(pad));
  GstVideoInfo format;
  GstVideoFrame picture;
  if (!caps || !gst_video_info_from_caps(&format, caps.get()) ||
      !gst_video_frame_map(&picture, &format, buffer, GST_MAP_READWRITE)) {
    return GST_PAD_PROBE_OK;
  }
  const Luma luma = {static_cast<std::uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&picture, 0)),
                     GST_VIDEO_FRAME_WIDTH(&picture), GST_VIDEO_FRAME_HEIGHT(&picture),
                     GST_VIDEO_FRAME_PLANE_STRIDE(&picture, 0)};
  const std::uint64_t frame = GST_BUFFER_PTS(buffer) / overlay->frame_duration_;
  const std::uint64_t wall_ms = WallMs();
  DrawBlockCode(luma, frame, wall_ms);
  DrawText(luma, Text(frame, wall_ms));
  gst_video_frame_unmap(&picture);
  return GST_PAD_PROBE_OK;
}

GstFlowReturn Overlay::OnEncoded(GstAppSink* sink, gpointer self) {
  auto* overlay = static_cast<Overlay*>(self);
  const auto sample = Adopt(gst_app_sink_pull_sample(sink));
  if (!sample) return GST_FLOW_EOS;
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  // The encoder moves time stamps and its segment alike.
  const std::uint64_t shown = gst_segment_to_running_time(gst_sample_get_segment(sample.get()),
                                                          GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  {
    const std::lock_guard<std::mutex> lock(overlay->mutex_);
    overlay->encoded_.push_back(
        {MakeUnit(Codec::kH264, BytesOf(buffer)), shown / overlay->frame_duration_});
  }
  eventfd_write(overlay->wake_, 1);
  return GST_FLOW_OK;
}

void Overlay::HandOver() {
  eventfd_t count = 0;
  eventfd_read(wake_, &count);
  std::vector<Encoded> encoded;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    encoded.swap(encoded_);
  }
  for (const Encoded& one : encoded) take_(one.unit, one.frame);
}

}  // namespace sightline::camera
