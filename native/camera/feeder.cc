#include "camera/feeder.h"

#include <utility>

#include "camera/garbage.h"

namespace sightline::camera {

Feeder::Feeder(const Clip& clip, const Options& options, std::function<void()> on_stop)
    : clip_(clip),
      options_(options),
      on_stop_(std::move(on_stop)),
      frame_duration_(options.fps > 0 ? static_cast<GstClockTime>(GST_SECOND / options.fps)
                                      : clip.frame_duration) {}

void Feeder::Attach(GstAppSrc* source) {
  // A short queue: the sinks wait for each frame's time, so what is queued here is only delay.
  g_object_set(source, "format", GST_FORMAT_TIME, "max-buffers", guint64{2}, "max-bytes",
               guint64{0}, "max-time", guint64{0}, nullptr);
  gst_app_src_set_caps(source, clip_.caps.get());
  GstAppSrcCallbacks callbacks = {};
  callbacks.need_data = [](GstAppSrc* from, guint, gpointer self) {
    static_cast<Feeder*>(self)->PushNext(from);
  };
  gst_app_src_set_callbacks(source, &callbacks, this, nullptr);
}

Owned<GstBuffer> Feeder::Stamped(const AccessUnit& unit) const {
  const guint64 count = clip_.units.size();
  const guint64 shown = sent_ / count * count + unit.rank + clip_.reorder_depth;
  const bool garbage = options_.garbage_after && sent_ >= *options_.garbage_after;
  auto buffer =
      garbage ? Scrambled(unit.buffer.get(), sent_) : Adopt(gst_buffer_copy(unit.buffer.get()));
  GST_BUFFER_DTS(buffer.get()) = sent_ * frame_duration_;
  GST_BUFFER_PTS(buffer.get()) = shown * frame_duration_;
  GST_BUFFER_DURATION(buffer.get()) = frame_duration_;
  GST_BUFFER_OFFSET(buffer.get()) = GST_BUFFER_OFFSET_NONE;
  GST_BUFFER_FLAG_UNSET(buffer.get(), GST_BUFFER_FLAG_DISCONT);
  return buffer;
}

void Feeder::PushNext(GstAppSrc* source) {
  if (options_.stall_after && sent_ >= *options_.stall_after) return;
  if (options_.stop_after && sent_ >= *options_.stop_after) {
    StopWhenSent(source);
    return;
  }
  gst_app_src_push_buffer(source, Stamped(clip_.units[sent_ % clip_.units.size()]).release());
  ++sent_;
}

// Frames are handed over a little before their time: the end waits until the last one is out.
void Feeder::StopWhenSent(GstAppSrc* source) {
  if (!on_stop_) return;
  const GstClockTime now = gst_element_get_current_running_time(GST_ELEMENT(source));
  const GstClockTime end = (sent_ + clip_.reorder_depth) * frame_duration_;
  const GstClockTime wait = GST_CLOCK_TIME_IS_VALID(now) && now < end ? end - now : 0;
  auto* stop = new std::function<void()>(std::exchange(on_stop_, nullptr));
  g_timeout_add_full(
      G_PRIORITY_DEFAULT, static_cast<guint>(GST_TIME_AS_MSECONDS(wait)),
      [](gpointer data) -> gboolean {
        (*static_cast<std::function<void()>*>(data))();
        return G_SOURCE_REMOVE;
      },
      stop, [](gpointer data) { delete static_cast<std::function<void()>*>(data); });
}

}  // namespace sightline::camera
