#include <gst/gst.h>

#include <string>

#include "common/guard.h"
#include "plugin/elements.h"
#include "plugin/message_source.h"
#include "plugin/metadata_filter.h"
#include "plugin/recorder.h"

// slrecord writes coded video into files as it comes, with a row of notes for each picture. See
// src/common/segments.ts for what lies where, and docs/adr for why it is no splitmuxsink.

namespace {

enum Container { CONTAINER_MP4, CONTAINER_MATROSKA };
enum Property {
  PROP_FOLDER = 1,
  PROP_SESSION,
  PROP_CONTAINER,
  PROP_SEGMENT_MS,
  PROP_FRAGMENT_MS,
  PROP_MAX_HELD_BYTES,
  PROP_EPOCH,
  PROP_FRAMES,
  PROP_FRAMES_RECORDED,
  PROP_FRAMES_LOST,
  PROP_RECORDED_BYTES,
  PROP_SEGMENTS,
  PROP_LAST_WRITE_NS,
  PROP_FAILURE
};

constexpr guint kDefaultSegmentMs = 60'000;
constexpr guint kDefaultFragmentMs = 1000;
constexpr guint64 kDefaultMaxHeldBytes = 33'554'432;
constexpr char kCaps[] =
    "video/x-h264, stream-format=(string)avc, alignment=(string)au; "
    "video/x-h265, stream-format=(string)hvc1, alignment=(string)au";

struct SlRecordState {
  explicit SlRecordState(GstElement* element) : recorder(element, &counters) {}

  SlRecorderSettings settings;
  SlRecorderCounters counters;
  SlRecorder recorder;
};

struct SlRecord {
  GstElement base;
  GstPad* sink;
  SlRecordState* state;
};
struct SlRecordClass {
  GstElementClass base;
};

GType ContainerType() {
  static const GEnumValue values[] = {
      {CONTAINER_MP4, "Fragmented MP4", "mp4"},
      {CONTAINER_MATROSKA, "Matroska, one picture after the other", "matroska"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlRecordContainer", values);
  return type;
}

G_DEFINE_TYPE(SlRecord, sl_record, GST_TYPE_ELEMENT)

SlRecord* Self(gpointer object) { return reinterpret_cast<SlRecord*>(object); }

GstFlowReturn Chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  return Guard(parent, GST_FLOW_ERROR, [&] {
    Self(parent)->state->recorder.Take(buffer);
    return GST_FLOW_OK;
  });
}

gboolean SinkEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  return Guard(parent, gboolean{FALSE}, [&]() -> gboolean {
    SlRecorder& recorder = Self(parent)->state->recorder;
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
      GstMessage* message = gst_message_new_eos(parent);
      gst_message_set_seqnum(message, gst_event_get_seqnum(event));
      gst_element_post_message(GST_ELEMENT_CAST(parent), message);
    }
    return gst_pad_event_default(pad, parent, event);
  });
}

// A stream that is taken down closes its file, whatever state it is in.
void StopBetweenPictures(SlRecord* self) {
  GST_PAD_STREAM_LOCK(self->sink);
  self->state->recorder.Stop();
  GST_PAD_STREAM_UNLOCK(self->sink);
}

GstStateChangeReturn ChangeState(GstElement* element, GstStateChange change) {
  SlRecord* self = Self(element);
  return Guard(element, GST_STATE_CHANGE_FAILURE, [&] {
    if (change == GST_STATE_CHANGE_READY_TO_PAUSED) {
      GST_OBJECT_LOCK(element);
      SlRecorderSettings settings = self->state->settings;
      GST_OBJECT_UNLOCK(element);
      if (settings.session.empty()) settings.session = SlDefaultSession();
      self->state->recorder.Start(settings);
    }
    // The pad takes nothing more when the parent class is through.
    const GstStateChangeReturn done =
        GST_ELEMENT_CLASS(sl_record_parent_class)->change_state(element, change);
    if (change == GST_STATE_CHANGE_PAUSED_TO_READY) StopBetweenPictures(self);
    return done;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlRecorderSettings& settings = Self(object)->state->settings;
  const auto text = [value] {
    const gchar* given = g_value_get_string(value);
    return std::string(given != nullptr ? given : "");
  };
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_FOLDER:
      settings.folder = text();
      break;
    case PROP_SESSION:
      settings.session = text();
      break;
    case PROP_CONTAINER:
      settings.matroska = g_value_get_enum(value) == CONTAINER_MATROSKA;
      break;
    case PROP_SEGMENT_MS:
      settings.segment_ms = g_value_get_uint(value);
      break;
    case PROP_FRAGMENT_MS:
      settings.fragment_ms = g_value_get_uint(value);
      break;
    case PROP_MAX_HELD_BYTES:
      settings.max_held_bytes = g_value_get_uint64(value);
      break;
    case PROP_EPOCH:
      settings.epoch = g_value_get_uint64(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetSetting(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlRecorderSettings& settings = Self(object)->state->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_FOLDER:
      g_value_set_string(value, settings.folder.c_str());
      break;
    case PROP_SESSION:
      g_value_set_string(value, settings.session.c_str());
      break;
    case PROP_CONTAINER:
      g_value_set_enum(value, settings.matroska ? CONTAINER_MATROSKA : CONTAINER_MP4);
      break;
    case PROP_SEGMENT_MS:
      g_value_set_uint(value, settings.segment_ms);
      break;
    case PROP_FRAGMENT_MS:
      g_value_set_uint(value, settings.fragment_ms);
      break;
    case PROP_MAX_HELD_BYTES:
      g_value_set_uint64(value, settings.max_held_bytes);
      break;
    case PROP_EPOCH:
      g_value_set_uint64(value, settings.epoch);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlRecorderCounters& counters = Self(object)->state->counters;
  switch (id) {
    case PROP_FRAMES:
      g_value_set_uint64(value, counters.frames);
      break;
    case PROP_FRAMES_RECORDED:
      g_value_set_uint64(value, counters.recorded);
      break;
    case PROP_FRAMES_LOST:
      g_value_set_uint64(value, counters.lost);
      break;
    case PROP_RECORDED_BYTES:
      g_value_set_uint64(value, counters.bytes);
      break;
    case PROP_SEGMENTS:
      g_value_set_uint64(value, counters.segments);
      break;
    case PROP_LAST_WRITE_NS:
      g_value_set_uint64(value, counters.last_write_ns);
      break;
    case PROP_FAILURE:
      g_value_set_string(value, Self(object)->state->recorder.failure().c_str());
      break;
    default:
      GetSetting(object, id, value, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_record_parent_class)->finalize(object);
}

void InstallSettings(GObjectClass* klass) {
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, PROP_FOLDER,
      g_param_spec_string("folder", "Folder", "Where the files are; made when it is not there",
                          nullptr, writable));
  g_object_class_install_property(
      klass, PROP_SESSION,
      g_param_spec_string("session", "Session",
                          "Name of this run of the pipeline, with which the names of the files "
                          "begin; by default one that is made when the process starts",
                          nullptr, writable));
  g_object_class_install_property(klass, PROP_CONTAINER,
                                  g_param_spec_enum("container", "Container", "Format of the files",
                                                    ContainerType(), CONTAINER_MP4, writable));
  g_object_class_install_property(
      klass, PROP_SEGMENT_MS,
      g_param_spec_uint("segment-ms", "Segment",
                        "Time after which the next key frame begins a new file, in milliseconds",
                        100, 86'400'000, kDefaultSegmentMs, writable));
  g_object_class_install_property(
      klass, PROP_FRAGMENT_MS,
      g_param_spec_uint("fragment-ms", "Fragment",
                        "Video that is written in one piece, in milliseconds: what is lost at most "
                        "when the process is killed",
                        100, 60'000, kDefaultFragmentMs, writable));
  g_object_class_install_property(
      klass, PROP_MAX_HELD_BYTES,
      g_param_spec_uint64("max-held-bytes", "Most bytes held",
                          "Bytes that may wait for the end of a fragment; with more the file is "
                          "given up",
                          65'536, G_MAXUINT64, kDefaultMaxHeldBytes, writable));
  g_object_class_install_property(
      klass, PROP_EPOCH,
      g_param_spec_uint64("epoch", "Epoch", "Fencing token of the stream's owner, for the notes", 0,
                          G_MAXUINT64, 0, writable));
}

void InstallCounters(GObjectClass* klass) {
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto counter = [&](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0, readable));
  };
  counter(PROP_FRAMES, "frames", "Pictures that came since the element was made");
  counter(PROP_FRAMES_RECORDED, "frames-recorded", "Of them those that went into files");
  counter(PROP_FRAMES_LOST, "frames-lost",
          "Of them those that are in no file: before the first key frame, and while files could "
          "not be written (for a file that was given up, as far as it is known)");
  counter(PROP_RECORDED_BYTES, "recorded-bytes", "Bytes of media that were written");
  counter(PROP_SEGMENTS, "segments", "Files that were closed");
  counter(PROP_LAST_WRITE_NS, "last-write-ns",
          "Monotonic time of the last byte that was written, in nanoseconds; before it, of the "
          "first file's opening; 0 before that");
  g_object_class_install_property(
      klass, PROP_FAILURE,
      g_param_spec_string("failure", "Failure",
                          "Why nothing is written now; empty while all is well", "", readable));
}

void sl_record_class_init(SlRecordClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallSettings(object_class);
  InstallCounters(object_class);
  gst_type_mark_as_plugin_api(ContainerType(), static_cast<GstPluginAPIFlags>(0));

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
  self->state->settings.segment_ms = kDefaultSegmentMs;
  self->state->settings.fragment_ms = kDefaultFragmentMs;
  self->state->settings.max_held_bytes = kDefaultMaxHeldBytes;
  GstPadTemplate* pad = gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(self), "sink");
  self->sink = gst_pad_new_from_template(pad, "sink");
  gst_pad_set_chain_function(self->sink, Chain);
  gst_pad_set_event_function(self->sink, SinkEvent);
  gst_element_add_pad(GST_ELEMENT_CAST(self), self->sink);
  GST_OBJECT_FLAG_SET(self, GST_ELEMENT_FLAG_SINK);
}

}  // namespace

gboolean SlRecordRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slrecord", GST_RANK_NONE, sl_record_get_type());
}
