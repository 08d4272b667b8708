#include <gst/gst.h>

#include "common/guard.h"
#include "plugin/elements.h"
#include "plugin/message_source.h"
#include "plugin/metadata_filter.h"
#include "plugin/record_state.h"

// slrecord writes coded video into files as it comes, with a row of notes for each picture. See
// src/common/segments.ts for what lies where, and docs/adr for why it is no splitmuxsink.

namespace {

// Coded video that may wait for a slow disk; with more the source waits, and nothing is dropped.
constexpr GstClockTime kMostWaiting = 10 * GST_SECOND;
constexpr guint64 kMostWaitingBytes = 16 * 1024 * 1024;
constexpr char kCaps[] =
    "video/x-h264, stream-format=(string)avc, alignment=(string)au; "
    "video/x-h265, stream-format=(string)hvc1, alignment=(string)au";

struct SlRecord {
  GstElement base;
  GstPad* sink;
  SlRecordState* state;
};
struct SlRecordClass {
  GstElementClass base;
};

G_DEFINE_TYPE(SlRecord, sl_record, GST_TYPE_ELEMENT)

SlRecord* Self(gpointer object) { return reinterpret_cast<SlRecord*>(object); }

GstFlowReturn Chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return Guard(parent, GST_FLOW_ERROR, [&] {
    SlRecordState* state = Self(parent)->state;
    ++state->frames;
    if (state->intake.Push(buffer)) return GST_FLOW_OK;
    ++state->counters.lost;
    gst_buffer_unref(buffer);
    return GST_FLOW_FLUSHING;
  });
}

gboolean SinkEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  return Guard(parent, gboolean{FALSE}, [&]() -> gboolean {
    SlRecordIntake& intake = Self(parent)->state->intake;
    const GstEventType type = GST_EVENT_TYPE(event);
    if (type == GST_EVENT_FLUSH_START || type == GST_EVENT_FLUSH_STOP) {
      intake.Refuse(type == GST_EVENT_FLUSH_START);
    }
    if (!GST_EVENT_IS_SERIALIZED(event)) return gst_pad_event_default(pad, parent, event);
    intake.Push(event);
    return TRUE;
  });
}

// Before the pad waits for whoever is bringing something.
gboolean Activate(GstPad*, GstObject* parent, GstPadMode mode, gboolean active) {
  if (mode != GST_PAD_MODE_PUSH) return FALSE;
  Self(parent)->state->intake.Refuse(!active);
  return TRUE;
}

// In the recorder's thread.
void TakeEvent(GstElement* element, GstEvent* event) {
  SlRecorder& recorder = Self(element)->state->recorder;
  if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) {
    GstCaps* caps = nullptr;
    gst_event_parse_caps(event, &caps);
    recorder.SetCaps(caps);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    recorder.SetSegment(*segment);
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    recorder.Stop();
    GstMessage* message = gst_message_new_eos(GST_OBJECT_CAST(element));
    gst_message_set_seqnum(message, gst_event_get_seqnum(event));
    gst_element_post_message(element, message);
  }
  gst_event_unref(event);
}

void TakeItem(GstElement* element, const SlRecordIntake::Item& item) {
  Guard(element, false, [&] {
    if (GST_IS_EVENT(item.object)) {
      TakeEvent(element, GST_EVENT_CAST(item.object));
    } else {
      Self(element)->state->recorder.Take(GST_BUFFER_CAST(item.object), item.came_unix_ns);
    }
    return true;
  });
}

void StartRecording(GstElement* element) {
  SlRecordState* state = Self(element)->state;
  GST_OBJECT_LOCK(element);
  SlRecorderSettings settings = state->settings;
  GST_OBJECT_UNLOCK(element);
  if (settings.session.empty()) settings.session = SlDefaultSession();
  SlRecordIntake::Limits limits;
  // Matroska is written picture by picture.
  if (!settings.matroska) limits.together_ns = settings.fragment_ms * GST_MSECOND;
  limits.most_ns = kMostWaiting;
  limits.most_bytes = kMostWaitingBytes;
  state->recorder.Start(settings);
  state->intake.Start(limits,
                      [element](const SlRecordIntake::Item& item) { TakeItem(element, item); });
}

// A stream that is taken down closes its file, whatever state it is in.
void StopRecording(GstElement* element) {
  SlRecordState* state = Self(element)->state;
  state->intake.Stop();
  state->recorder.Stop();
}

GstStateChangeReturn ChangeState(GstElement* element, GstStateChange change) {
  return Guard(element, GST_STATE_CHANGE_FAILURE, [&] {
    if (change == GST_STATE_CHANGE_READY_TO_PAUSED) StartRecording(element);
    // The pad takes nothing more when the parent class is through.
    const GstStateChangeReturn done =
        GST_ELEMENT_CLASS(sl_record_parent_class)->change_state(element, change);
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY) StopRecording(element);
    return done;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  GST_OBJECT_LOCK(object);
  if (!SlRecordSet(Self(object)->state, id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GST_OBJECT_LOCK(object);
  if (!SlRecordGet(*Self(object)->state, id, value)) {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_record_parent_class)->finalize(object);
}

void sl_record_class_init(SlRecordClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  SlRecordInstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Video recorder", "Sink/File/Video",
      "Writes coded video into files that begin with key frames, with notes of each picture. "
      "Example: rtspsrc location=rtsp://host/path ! rtph264depay ! h264parse ! slrecord "
      "folder=/var/recordings/cam-1",
      "Sightline");
  GstCaps* caps = gst_caps_from_string(kCaps);
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
  element_class->change_state = ChangeState;
}

void sl_record_init(SlRecord* self) {
  self->state = new SlRecordState(GST_ELEMENT_CAST(self));
  GstPadTemplate* pad = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "sink");
  self->sink = gst_pad_new_from_template(pad, "sink");
  gst_pad_set_chain_function(self->sink, Chain);
  gst_pad_set_event_function(self->sink, SinkEvent);
  gst_pad_set_activatemode_function(self->sink, Activate);
  gst_element_add_pad(GST_ELEMENT_CAST(self), self->sink);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

}  // namespace

gboolean SlRecordRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slrecord", GST_RANK_NONE, sl_record_get_type());
}
