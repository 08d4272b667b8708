#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "common/guard.h"
#include "core/encode/message_encoder.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/message_source.h"

// slimage wraps each JPEG picture into one protobuf message that names the frame it shows.

namespace {

enum Property {
  PROP_STREAM_ID = 1,
  PROP_SESSION,
  PROP_EPOCH,
  PROP_SENSOR_ID,
  PROP_MODELS,
  PROP_STRICT,
  PROP_IMAGES,
  PROP_DROPPED
};

struct SlImageState {
  // Strings are written under the object's lock and taken over when the element starts.
  SlMessageSource source;
  std::string wanted_sensor_id;
  std::string wanted_models;
  std::string sensor_id;
  std::vector<std::string> models;
  std::atomic<bool> strict{false};
  std::atomic<guint64> images{0};
  std::atomic<guint64> dropped{0};
  sightline::MessageEncoder encoder;
};

struct SlImage {
  GstBaseTransform base;
  SlImageState* state;
};
struct SlImageClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlImage, sl_image, GST_TYPE_BASE_TRANSFORM)

SlImage* Self(gpointer object) { return reinterpret_cast<SlImage*>(object); }

// Names joined by ';'.
std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(';', at), text.size());
    if (end > at) names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

gboolean Start(GstBaseTransform* base) {
  return Guard(base, gboolean{FALSE}, [&]() -> gboolean {
    SlImageState* state = Self(base)->state;
    GST_OBJECT_LOCK(base);
    state->source.Start();
    state->sensor_id =
        state->wanted_sensor_id.empty() ? state->source.stream_id() : state->wanted_sensor_id;
    state->models = Split(state->wanted_models);
    GST_OBJECT_UNLOCK(base);
    state->images = 0;
    state->dropped = 0;
    return TRUE;
  });
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return Self(base)->state->source.SetCaps(caps);
}

// A picture that lost its frame's name on the way would be stored under another's.
void DropNameless(GstBaseTransform* base) {
  if (Self(base)->state->dropped++ > 0) return;
  GST_ELEMENT_WARNING(base, STREAM, FAILED, ("A picture does not say which frame it shows"),
                      ("An element before this one drops metadata; such pictures are dropped and "
                       "counted"));
}

GstFlowReturn EncodeImage(GstBaseTransform* base, GstBuffer* input, GstBuffer* output) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlImageState* state = Self(base)->state;
    const SlFrameMeta* frame = SlFrameMetaGet(input);
    if (state->strict && (frame == nullptr || frame->sequence == SL_NO_SEQUENCE)) {
      DropNameless(base);
      return GST_BASE_TRANSFORM_FLOW_DROPPED;
    }
    GstMapInfo map;
    if (!gst_buffer_map(input, &map, GST_MAP_READ)) {
      GST_ELEMENT_ERROR(base, RESOURCE, READ, ("Cannot read the JPEG picture's memory"), (nullptr));
      return GST_FLOW_ERROR;
    }
    sightline::ImageMessage message;
    message.identity = state->source.Identify(base, input, frame);
    message.sensor_id = state->sensor_id;
    message.models.assign(state->models.begin(), state->models.end());
    message.content_type = "image/jpeg";
    message.data = {reinterpret_cast<const char*>(map.data), map.size};
    SlFillMessage(output, state->encoder.Encode(message));
    gst_buffer_unmap(input, &map);
    ++state->images;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlImageState* state = Self(object)->state;
  SlMessageSource& source = state->source;
  const gchar* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  if (text == nullptr) text = "";
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_STREAM_ID:
      source.set_stream_id(text);
      break;
    case PROP_SESSION:
      source.set_session(text);
      break;
    case PROP_EPOCH:
      source.set_epoch(g_value_get_uint64(value));
      break;
    case PROP_SENSOR_ID:
      state->wanted_sensor_id = text;
      break;
    case PROP_MODELS:
      state->wanted_models = text;
      break;
    case PROP_STRICT:
      state->strict = g_value_get_boolean(value) != FALSE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlImageState& state = *Self(object)->state;
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
    case PROP_MODELS:
      g_value_set_string(value, state.wanted_models.c_str());
      break;
    case PROP_STRICT:
      g_value_set_boolean(value, state.strict);
      break;
    case PROP_IMAGES:
      g_value_set_uint64(value, state.images);
      break;
    case PROP_DROPPED:
      g_value_set_uint64(value, state.dropped);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_image_parent_class)->finalize(object);
}

void InstallOwnProperties(GObjectClass* klass) {
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, PROP_SENSOR_ID,
      g_param_spec_string("sensor-id", "sensor-id",
                          "Name of the camera in every message; empty: the stream's", "",
                          writable));
  g_object_class_install_property(
      klass, PROP_MODELS,
      g_param_spec_string("models", "models",
                          "Names of the models that are to look at the picture, joined by ';'", "",
                          writable));
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      klass, PROP_STRICT,
      g_param_spec_boolean("strict", "strict",
                           "Drop pictures whose frame is not known, instead of numbering them here",
                           FALSE, writable));
  g_object_class_install_property(
      klass, PROP_IMAGES,
      g_param_spec_uint64("images", "images", "Messages written since the element started", 0,
                          G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      klass, PROP_DROPPED,
      g_param_spec_uint64("dropped", "dropped", "Pictures dropped for want of a frame", 0,
                          G_MAXUINT64, 0, readable));
}

void sl_image_class_init(SlImageClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  SlInstallIdentityProperties(object_class, PROP_STREAM_ID, PROP_SESSION, PROP_EPOCH);
  InstallOwnProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Picture message encoder", "Filter/Converter/Image",
      "Writes one sightline.v1.Image protobuf message for each JPEG picture. Example: videotestsrc "
      "num-buffers=10 ! slsample ! slsample action=filter ! videoconvert ! jpegenc ! slimage "
      "stream-id=cam-1 session=s1 ! multifilesink location=image-%05d.bin",
      "Sightline");
  SlMakeMessageElement(element_class, "image/jpeg, width=(int)[1, 65535], height=(int)[1, 65535]",
                       "Image");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->transform = EncodeImage;
}

void sl_image_init(SlImage* self) { self->state = new SlImageState(); }

}  // namespace

gboolean SlImageRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slimage", GST_RANK_NONE, sl_image_get_type());
}
