#include <atomic>
#include <string>

#include "tests/stand-in-plugin/camera.h"
#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// nvurisrcbin: a camera whose pad comes when it has pictures, and which is connected again, from a
// timer on GLib's default main context, when they stop. The habits are the real one's, in a third
// of its time: errors of the source become warnings, its end-of-stream is swallowed, resets of one
// process come one after the other, and the pad stays over all of them.

namespace sightline::standin {
namespace {

constexpr guint kWatchMs = 100;
constexpr gint64 kBetweenResetsUs = 300'000;
// As the real one does: never taken down, so it may fire after the bin was stopped.
constexpr guint kAfterResetMs = 20;

struct Source {
  GstBin bin;
  GstElement* camera;
  guint watch_id;
  std::atomic<gint64>* last_us;
};
struct SourceClass {
  GstBinClass base;
};

GstBinClass* parent_class = nullptr;

Source* Self(gpointer object) { return static_cast<Source*>(object); }

gint64 IntervalUs(Source* self) {
  return NumberOf(self, "rtsp-reconnect-interval") * G_USEC_PER_SEC;
}

gboolean AfterReset(gpointer data) {
  GstState state = GST_STATE_NULL;
  gst_element_get_state(GST_ELEMENT(data), &state, nullptr, 0);
  return state != GST_STATE_NULL && state != GST_STATE_PLAYING;
}

void Reset(Source* self) {
  gst_element_set_state(self->camera, GST_STATE_NULL);
  *self->last_us = g_get_monotonic_time();
  gst_element_set_state(self->camera, GST_STATE_PLAYING);
  // What NVIDIA calls a stream reset, as it looks to those who do not know it.
  const auto type = static_cast<GstEventType>(
      GST_EVENT_MAKE_TYPE(404, GST_EVENT_TYPE_DOWNSTREAM | GST_EVENT_TYPE_SERIALIZED));
  GstPad* pad = gst_element_get_static_pad(self->camera, "src");
  gst_pad_push_event(pad, gst_event_new_custom(type, gst_structure_new_empty("stream-reset")));
  gst_object_unref(pad);
  g_timeout_add(kAfterResetMs, AfterReset, self);
}

gboolean Watch(gpointer data) {
  static gint64 last_reset_us = 0;
  Source* self = Self(data);
  const gint64 now = g_get_monotonic_time();
  const gint64 silent_us = now - *self->last_us;
  if (silent_us < IntervalUs(self) || now - last_reset_us < kBetweenResetsUs) return TRUE;
  last_reset_us = now;
  GST_ELEMENT_WARNING(self, STREAM, FAILED,
                      ("No data from source since last %d sec. Trying reconnection",
                       static_cast<int>(silent_us / G_USEC_PER_SEC)),
                      (nullptr));
  Reset(self);
  return TRUE;
}

// The bin's own pad, once there are pictures.
GstPadProbeReturn OnPicture(GstPad* pad, GstPadProbeInfo*, gpointer data) {
  auto* element = GST_ELEMENT(data);
  *Self(data)->last_us = g_get_monotonic_time();
  if (element->srcpads != nullptr) return GST_PAD_PROBE_OK;
  GstPad* ghost = gst_ghost_pad_new_from_template("vsrc_0", pad, TemplateOf(element, "vsrc_%u"));
  gst_pad_set_active(ghost, TRUE);
  gst_element_add_pad(element, ghost);
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn SwallowEnd(GstPad*, GstPadProbeInfo* info, gpointer) {
  const bool ends = GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) == GST_EVENT_EOS;
  return ends ? GST_PAD_PROBE_DROP : GST_PAD_PROBE_OK;
}

void Populate(Source* self) {
  const Text uri(self, "uri");
  self->camera = MakeCamera(uri.get());
  GstPad* pad = gst_element_get_static_pad(self->camera, "src");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnPicture, self, nullptr);
  *self->last_us = g_get_monotonic_time();
  if (g_str_has_prefix(uri.get(), "rtsp://") && IntervalUs(self) > 0) {
    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, SwallowEnd, nullptr, nullptr);
    self->watch_id = g_timeout_add(kWatchMs, Watch, self);
  }
  gst_object_unref(pad);
  gst_bin_add(GST_BIN(self), self->camera);
}

GstStateChangeReturn ChangeState(GstElement* element, GstStateChange transition) {
  Source* self = Self(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY && self->camera == nullptr) Populate(self);
  if (transition == GST_STATE_CHANGE_READY_TO_NULL && self->watch_id != 0) {
    g_source_remove(self->watch_id);
    self->watch_id = 0;
  }
  return GST_ELEMENT_CLASS(parent_class)->change_state(element, transition);
}

void HandleMessage(GstBin* bin, GstMessage* message) {
  Source* self = Self(bin);
  const bool own = GST_MESSAGE_SRC(message) == GST_OBJECT(self->camera);
  if (own && self->watch_id != 0 && GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GST_MESSAGE_TYPE(message) = GST_MESSAGE_WARNING;
  }
  parent_class->handle_message(bin, message);
}

void Finalize(GObject* object) {
  delete Self(object)->last_us;
  G_OBJECT_CLASS(parent_class)->finalize(object);
}

void ClassInit(gpointer klass, gpointer) {
  parent_class = GST_BIN_CLASS(g_type_class_peek_parent(klass));
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  GST_ELEMENT_CLASS(klass)->change_state = ChangeState;
  GST_BIN_CLASS(klass)->handle_message = HandleMessage;
  Dress(GST_ELEMENT_CLASS(klass), RowOf("nvurisrcbin"));
}

void Init(GTypeInstance* instance, gpointer) {
  Source* self = Self(instance);
  self->last_us = new std::atomic<gint64>(0);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SOURCE);
  g_object_set(self, "async-handling", TRUE, nullptr);
}

}  // namespace

bool RegisterSources(GstPlugin* plugin) {
  GTypeInfo info{};
  info.class_size = sizeof(SourceClass);
  info.class_init = ClassInit;
  info.instance_size = sizeof(Source);
  info.instance_init = Init;
  const GType type =
      g_type_register_static(GST_TYPE_BIN, "StandInSource", &info, static_cast<GTypeFlags>(0));
  return Register(plugin, "nvurisrcbin", type);
}

}  // namespace sightline::standin
