#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>
#include <string>
#include <string_view>

#include "common/guard.h"
#include "core/encode/message_encoder.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/frame_report.h"
#include "plugin/message_source.h"
#include "plugin/metadata_filter.h"
#include "plugin/origin_meta.h"

// slmeta turns each video frame into one protobuf message of the objects on it.

namespace {

enum Property {
  PROP_STREAM_ID = 1,
  PROP_SESSION,
  PROP_EPOCH,
  PROP_SENSOR_ID,
  PROP_BACKEND,
  PROP_FRAMES,
  PROP_FRAMES_SKIPPED,
};

constexpr char kDefaultBackend[] = "cpu";

struct SlMetaState {
  // Strings are written under the object's lock and taken over when the element starts.
  SlMessageSource source;
  std::string wanted_sensor_id;
  std::string wanted_backend = kDefaultBackend;
  std::string sensor_id;
  std::string backend;

  std::atomic<guint64> frames{0};
  std::atomic<guint64> frames_skipped{0};
  guint64 next_sequence = 0;
  sightline::FrameMessage message;
  sightline::MessageEncoder encoder;
};

struct SlMeta {
  GstBaseTransform base;
  SlMetaState* state;
};
struct SlMetaClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlMeta, sl_meta, GST_TYPE_BASE_TRANSFORM)

SlMeta* Self(gpointer object) { return reinterpret_cast<SlMeta*>(object); }

gboolean Start(GstBaseTransform* base) {
  return Guard(base, gboolean{FALSE}, [&]() -> gboolean {
    SlMetaState* state = Self(base)->state;
    GST_OBJECT_LOCK(base);
    state->source.Start();
    state->backend = state->wanted_backend;
    state->sensor_id =
        state->wanted_sensor_id.empty() ? state->source.stream_id() : state->wanted_sensor_id;
    GST_OBJECT_UNLOCK(base);
    state->frames = 0;
    state->frames_skipped = 0;
    state->next_sequence = 0;
    return TRUE;
  });
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return Self(base)->state->source.SetCaps(caps);
}

// Frames that were decoded and never came here. A sequence that starts over has no gap.
guint64 CountSkipped(SlMetaState* state, guint64 sequence) {
  const guint64 expected = state->next_sequence;
  state->next_sequence = sequence + 1;
  const guint64 skipped = sequence > expected ? sequence - expected : 0;
  state->frames_skipped += skipped;
  return skipped;
}

GstFlowReturn EncodeFrame(GstBaseTransform* base, GstBuffer* input, GstBuffer* output) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlMetaState* state = Self(base)->state;
    const SlFrameMeta* frame = SlFrameMetaGet(input);
    sightline::FrameMessage& message = state->message;
    message.identity = state->source.Identify(base, input, frame);
    const SlFrameOrigin* origin = SlFrameOriginGet(input);
    const bool named = origin != nullptr && !origin->sensor_id.empty();
    message.sensor_id = named ? std::string_view(origin->sensor_id) : state->sensor_id;
    message.backend = state->backend;
    message.late = origin != nullptr && origin->late;
    // Frames of a queue were chosen: between two of them nothing is missing.
    message.frames_skipped = origin == nullptr ? CountSkipped(state, message.identity.sequence) : 0;
    SlReportFrame(frame != nullptr ? *frame : SlFrameMeta{}, SlMonotonicNs(), &message);
    SlReportObjects(input, state->source.width(), state->source.height(), &message);
    SlFillMessage(output, state->encoder.Encode(message));
    ++state->frames;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlMetaState* state = Self(object)->state;
  const gchar* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  if (text == nullptr) text = "";
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_STREAM_ID:
      state->source.set_stream_id(text);
      break;
    case PROP_SESSION:
      state->source.set_session(text);
      break;
    case PROP_EPOCH:
      state->source.set_epoch(g_value_get_uint64(value));
      break;
    case PROP_SENSOR_ID:
      state->wanted_sensor_id = text;
      break;
    case PROP_BACKEND:
      state->wanted_backend = text;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlMetaState& state = *Self(object)->state;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_STREAM_ID:
      g_value_set_string(value, state.source.stream_id().c_str());
      break;
    case PROP_SESSION:
      g_value_set_string(value, state.source.session().c_str());
      break;
    case PROP_EPOCH:
      g_value_set_uint64(value, state.source.epoch());
      break;
    case PROP_SENSOR_ID:
      g_value_set_string(value, state.wanted_sensor_id.c_str());
      break;
    case PROP_BACKEND:
      g_value_set_string(value, state.wanted_backend.c_str());
      break;
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_FRAMES_SKIPPED:
      g_value_set_uint64(value, state.frames_skipped);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_meta_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  SlInstallIdentityProperties(klass, PROP_STREAM_ID, PROP_SESSION, PROP_EPOCH);
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      klass, PROP_SENSOR_ID,
      g_param_spec_string("sensor-id", "sensor-id",
                          "Name of the camera in every message; empty: the stream's", "",
                          writable));
  g_object_class_install_property(
      klass, PROP_BACKEND,
      g_param_spec_string("backend", "backend", "Name of the inference backend in every message",
                          kDefaultBackend, writable));
  g_object_class_install_property(
      klass, PROP_FRAMES,
      g_param_spec_uint64("frames", "frames", "Messages written since the element started", 0,
                          G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      klass, PROP_FRAMES_SKIPPED,
      g_param_spec_uint64("frames-skipped", "frames-skipped",
                          "Decoded frames that never reached the element (gaps in the sequence)", 0,
                          G_MAXUINT64, 0, readable));
}

void sl_meta_class_init(SlMetaClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Frame metadata encoder", "Filter/Converter/Metadata",
      "Writes one sightline.v1.Frame protobuf message for each video frame and its objects. "
      "Example: "
      "videotestsrc num-buffers=10 ! slmeta stream-id=cam-1 session=s1 ! multifilesink "
      "location=frame-%05d.bin",
      "Sightline");
  SlMakeMessageElement(element_class, "video/x-raw(ANY)", "Frame");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->transform = EncodeFrame;
}

void sl_meta_init(SlMeta* self) { self->state = new SlMetaState(); }

}  // namespace

gboolean SlMetaRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slmeta", GST_RANK_NONE, sl_meta_get_type());
}
