#include <gst/video/video.h>

#include <string>

#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// Decoder and encoders: each buffer becomes another one. What the encoders give is real (a black
// picture of the right size, encoded once by an ordinary element), what the decoder gives is not.

namespace sightline::standin {
namespace {

struct Kind {
  const char* name;
  // What leaves, null for the decoder: pictures in the GPU's memory.
  const char* encoded;
};

constexpr Kind kKinds[] = {
    {"nvv4l2decoder", nullptr},
    {"nvjpegenc", "image/jpeg"},
    {"nvimageenc", "image/jpeg"},
    {"nvv4l2h264enc", "video/x-h264,stream-format=byte-stream,alignment=au"},
};

struct Codec {
  GstElement element;
  GstPad* src;
  GstBuffer* encoded;
};
struct CodecClass {
  GstElementClass base;
  const Kind* kind;
};

const Kind& KindOf(gpointer object) {
  return *reinterpret_cast<CodecClass*>(G_OBJECT_GET_CLASS(object))->kind;
}

Codec* Self(gpointer object) { return static_cast<Codec*>(object); }

// A black picture as the encoder would give it; null with an error on the bus.
GstBuffer* Encode(gpointer element, const char* caps_text, gint width, gint height) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(width),
                            static_cast<guint>(height));
  GST_VIDEO_INFO_FPS_N(&info) = 25;
  GstBuffer* raw = gst_buffer_new_allocate(nullptr, info.size, nullptr);
  gst_buffer_memset(raw, 0, 128, info.size);
  GST_BUFFER_PTS(raw) = 0;
  GstCaps* from = gst_video_info_to_caps(&info);
  GstSample* sample = gst_sample_new(raw, from, nullptr, nullptr);
  GstCaps* to = gst_caps_from_string(caps_text);
  GError* error = nullptr;
  GstSample* encoded = gst_video_convert_sample(sample, to, 10 * GST_SECOND, &error);
  GstBuffer* result = nullptr;
  if (encoded != nullptr) {
    result = gst_buffer_copy(gst_sample_get_buffer(encoded));
    gst_sample_unref(encoded);
  } else {
    GST_ELEMENT_ERROR(element, STREAM, ENCODE, ("%s", error->message), (nullptr));
    g_error_free(error);
  }
  gst_sample_unref(sample);
  gst_buffer_unref(raw);
  gst_caps_unref(from);
  gst_caps_unref(to);
  return result;
}

bool SetCaps(Codec* self, GstCaps* caps) {
  const Kind& kind = KindOf(self);
  const GstStructure* in = gst_caps_get_structure(caps, 0);
  gint width = 640;
  gint height = 480;
  gst_structure_get_int(in, "width", &width);
  gst_structure_get_int(in, "height", &height);
  GstCaps* out = gst_caps_from_string(
      kind.encoded != nullptr ? kind.encoded : "video/x-raw(memory:NVMM),format=NV12");
  gst_caps_set_simple(out, "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, "framerate",
                      GST_TYPE_FRACTION, 25, 1, nullptr);
  if (kind.encoded != nullptr) {
    gst_clear_buffer(&self->encoded);
    self->encoded = Encode(self, kind.encoded, width, height);
  }
  const bool ok = (kind.encoded == nullptr || self->encoded != nullptr) &&
                  gst_pad_push_event(self->src, gst_event_new_caps(out));
  gst_caps_unref(out);
  return ok;
}

gboolean OnEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CAPS) return gst_pad_event_default(pad, parent, event);
  GstCaps* caps = nullptr;
  gst_event_parse_caps(event, &caps);
  const bool ok = SetCaps(Self(parent), caps);
  gst_event_unref(event);
  return ok;
}

GstFlowReturn Chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  Codec* self = Self(parent);
  GstBuffer* out = self->encoded != nullptr ? gst_buffer_copy(self->encoded)
                                            : gst_buffer_new_allocate(nullptr, 64, nullptr);
  // Time and metadata that may be copied; a batch may not.
  gst_buffer_copy_into(
      out, buffer,
      static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_META), 0,
      static_cast<gsize>(-1));
  gst_buffer_unref(buffer);
  return gst_pad_push(self->src, out);
}

void Finalize(GObject* object) {
  gst_clear_buffer(&Self(object)->encoded);
  G_OBJECT_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(object)))->finalize(object);
}

void ClassInit(gpointer klass, gpointer data) {
  const auto* kind = static_cast<const Kind*>(data);
  static_cast<CodecClass*>(klass)->kind = kind;
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  Dress(GST_ELEMENT_CLASS(klass), RowOf(kind->name));
}

void Init(GTypeInstance* instance, gpointer klass) {
  Codec* self = Self(instance);
  GstPad* sink = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "sink"), "sink");
  gst_pad_set_chain_function(sink, Chain);
  gst_pad_set_event_function(sink, OnEvent);
  gst_element_add_pad(GST_ELEMENT(self), sink);
  self->src = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "src"), "src");
  gst_pad_use_fixed_caps(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
}

}  // namespace

bool RegisterCodecs(GstPlugin* plugin) {
  bool ok = true;
  for (const Kind& kind : kKinds) {
    GTypeInfo info{};
    info.class_size = sizeof(CodecClass);
    info.class_init = ClassInit;
    info.class_data = &kind;
    info.instance_size = sizeof(Codec);
    info.instance_init = Init;
    const std::string name = std::string("StandIn") + kind.name;
    const GType type =
        g_type_register_static(GST_TYPE_ELEMENT, name.c_str(), &info, static_cast<GTypeFlags>(0));
    ok = Register(plugin, kind.name, type) && ok;
  }
  return ok;
}

}  // namespace sightline::standin
