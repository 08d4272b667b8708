#include <gst/base/gstpushsrc.h>
#include <gst/gst.h>
#include <gst/video/gstvideodecoder.h>

#include <memory>
#include <string>
#include <utility>

#include "core/frames/queued_frame.h"
#include "plugin/element_errors.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/frame_socket.h"
#include "plugin/metadata_filter.h"
#include "plugin/origin_meta.h"

// slframesrc gives the pictures of one camera that come over a Unix socket (core/frames), each with
// what its own pipeline knew of it. It connects when it starts, and ends when the other end does.

namespace {

enum Property { PROP_SOCKET_PATH = 1, PROP_STREAM_ID };

// The largest frame of a queue, and some room.
constexpr std::uint32_t kMaxFrameBytes = 128 * 1024 * 1024;

struct SlFrameSrcState {
  // Written under the object's lock.
  std::string socket_path;
  std::string stream_id;
  SlFrameSocket socket;
  // Of the streaming thread.
  guint64 frames = 0;
};

struct SlFrameSrc {
  GstPushSrc base;
  SlFrameSrcState* state;
};
struct SlFrameSrcClass {
  GstPushSrcClass base;
};

G_DEFINE_TYPE(SlFrameSrc, sl_frame_src, GST_TYPE_PUSH_SRC)

SlFrameSrc* Self(gpointer object) { return reinterpret_cast<SlFrameSrc*>(object); }

// A picture that cannot be decoded must end the graph, for whoever sent it waits for its result:
// by default decoders drop it and go on. jpegdec's own property max-errors is without effect.
void LetErrorsEnd(GstBaseSrc* base) {
  GstPad* peer = gst_pad_get_peer(GST_BASE_SRC_PAD(base));
  if (peer == nullptr) return;
  GstElement* next = gst_pad_get_parent_element(peer);
  if (next != nullptr && GST_IS_VIDEO_DECODER(next)) {
    gst_video_decoder_set_max_errors(GST_VIDEO_DECODER(next), 0);
  }
  gst_clear_object(&next);
  gst_object_unref(peer);
}

gboolean Start(GstBaseSrc* base) {
  return SlGuardErrors(GST_ELEMENT(base), gboolean{FALSE}, [&]() -> gboolean {
    SlFrameSrcState* state = Self(base)->state;
    GST_OBJECT_LOCK(base);
    const std::string path = state->socket_path;
    const std::string stream_id = state->stream_id;
    GST_OBJECT_UNLOCK(base);
    state->frames = 0;
    LetErrorsEnd(base);
    state->socket.Connect(path, stream_id);
    return TRUE;
  });
}

gboolean Stop(GstBaseSrc* base) {
  Self(base)->state->socket.Close();
  return TRUE;
}

gboolean Unlock(GstBaseSrc* base) {
  Self(base)->state->socket.Interrupt();
  return TRUE;
}

gboolean UnlockStop(GstBaseSrc* base) {
  Self(base)->state->socket.Resume();
  return TRUE;
}

gboolean IsSeekable(GstBaseSrc*) { return FALSE; }

void Describe(GstBuffer* buffer, const sightline::QueuedFrame& queued) {
  SlFrameMeta* frame = SlFrameMetaEnsure(buffer);
  frame->sequence = queued.sequence;
  frame->capture_unix_ns = queued.capture_unix_ns;
  frame->capture_clock = static_cast<SlCaptureClock>(queued.capture_clock);
  frame->receive_ns = SlMonotonicNs();
  frame->image = queued.has_ref ? TRUE : FALSE;
  auto origin = std::make_shared<SlFrameOrigin>();
  origin->stream_id = queued.stream_id;
  origin->session = queued.session;
  origin->sensor_id = queued.sensor_id;
  origin->record_suffix = queued.record_suffix;
  origin->pts_ns = queued.pts_ns;
  origin->epoch = queued.epoch;
  origin->late = queued.late;
  SlFrameOriginAdd(buffer, std::move(origin));
}

GstFlowReturn Create(GstPushSrc* base, GstBuffer** out) {
  return SlGuardErrors(GST_ELEMENT(base), GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    SlFrameSrcState* state = Self(base)->state;
    char* bytes = nullptr;
    std::size_t size = 0;
    switch (state->socket.ReadFrame(kMaxFrameBytes, &bytes, &size)) {
      case SlFrameSocket::Read::kEnd:
        return GST_FLOW_EOS;
      case SlFrameSocket::Read::kInterrupted:
        return GST_FLOW_FLUSHING;
      case SlFrameSocket::Read::kFrame:
        break;
    }
    const std::unique_ptr<GBytes, void (*)(GBytes*)> owned(g_bytes_new_take(bytes, size),
                                                           g_bytes_unref);
    const sightline::QueuedFrame queued = sightline::ReadQueuedFrame({bytes, size});
    const std::unique_ptr<GBytes, void (*)(GBytes*)> picture(
        g_bytes_new_from_bytes(owned.get(), queued.data_offset, queued.data.size()), g_bytes_unref);
    GstBuffer* buffer = gst_buffer_new_wrapped_bytes(picture.get());
    // Frames come when they come: their own times may go back, these never do.
    GST_BUFFER_PTS(buffer) = state->frames++ * GST_MSECOND;
    Describe(buffer, queued);
    *out = buffer;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlFrameSrcState* state = Self(object)->state;
  const gchar* text = G_VALUE_HOLDS_STRING(value) ? g_value_get_string(value) : nullptr;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_SOCKET_PATH:
      state->socket_path = text != nullptr ? text : "";
      break;
    case PROP_STREAM_ID:
      state->stream_id = text != nullptr ? text : "";
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlFrameSrcState& state = *Self(object)->state;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_SOCKET_PATH:
      g_value_set_string(value, state.socket_path.c_str());
      break;
    case PROP_STREAM_ID:
      g_value_set_string(value, state.stream_id.c_str());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_frame_src_parent_class)->finalize(object);
}

void sl_frame_src_class_init(SlFrameSrcClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      object_class, PROP_SOCKET_PATH,
      g_param_spec_string("socket-path", "Socket path", "Unix socket of whoever sends the frames",
                          nullptr, flags));
  g_object_class_install_property(
      object_class, PROP_STREAM_ID,
      g_param_spec_string("stream-id", "Stream id", "Whose frames are wanted; the first line sent",
                          nullptr, flags));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Source of queued frames", "Source/Video",
      "Gives pictures that come over a socket, with the stream, session and number that their own "
      "pipeline gave them. Example: slframesrc socket-path=/run/frames stream-id=cam-1 ! jpegdec ! "
      "slmeta ! fakesink",
      "Sightline");
  // Whole pictures: a decoder need not look for their ends.
  GstCaps* caps = gst_caps_from_string("image/jpeg,parsed=(boolean)true");
  gst_element_class_add_pad_template(
      element_class, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);

  auto* source_class = GST_BASE_SRC_CLASS(klass);
  source_class->start = Start;
  source_class->stop = Stop;
  source_class->unlock = Unlock;
  source_class->unlock_stop = UnlockStop;
  source_class->is_seekable = IsSeekable;
  GST_PUSH_SRC_CLASS(klass)->create = Create;
}

void sl_frame_src_init(SlFrameSrc* self) {
  self->state = new SlFrameSrcState();
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace

gboolean SlFrameSrcRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slframesrc", GST_RANK_NONE, sl_frame_src_get_type());
}
