#include "plugin/message_source.h"

#include <gst/video/video.h>

#include "plugin/metadata_filter.h"
#include "plugin/origin_meta.h"

namespace {

constexpr char kDefaultStreamId[] = "stream";

bool IsBlank(const char* text) { return text == nullptr || *text == '\0'; }

GstCaps* TransformCaps(GstBaseTransform* base, GstPadDirection direction, GstCaps*,
                       GstCaps* filter) {
  GstPad* other = direction == GST_PAD_SINK ? GST_BASE_TRANSFORM_SRC_PAD(base)
                                            : GST_BASE_TRANSFORM_SINK_PAD(base);
  GstCaps* caps = gst_pad_get_pad_template_caps(other);
  if (filter == nullptr) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

// The message's size is known only once it is written, so the buffer comes empty.
GstFlowReturn PrepareOutput(GstBaseTransform*, GstBuffer* input, GstBuffer** output) {
  *output = gst_buffer_new();
  gst_buffer_copy_into(*output, input, GST_BUFFER_COPY_TIMESTAMPS, 0, -1);
  return GST_FLOW_OK;
}

// Pictures may come with any stride or padding: nobody here reads pixels row by row.
gboolean ProposeAllocation(GstBaseTransform*, GstQuery*, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return TRUE;
}

gboolean DecideAllocation(GstBaseTransform*, GstQuery*) { return TRUE; }

}  // namespace

// Without an application that names it, a session is the process.
std::string SlDefaultSession() {
  static const std::string session = "local-" + std::to_string(SlUnixNs() / 1'000'000);
  return session;
}

SlMessageSource::SlMessageSource()
    : wanted_stream_id_(kDefaultStreamId), wanted_session_(SlDefaultSession()) {}

void SlMessageSource::set_stream_id(const char* id) {
  wanted_stream_id_ = IsBlank(id) ? kDefaultStreamId : id;
}

void SlMessageSource::set_session(const char* session) {
  wanted_session_ = IsBlank(session) ? SlDefaultSession() : session;
}

void SlMessageSource::Start() {
  stream_id_ = wanted_stream_id_;
  session_ = wanted_session_;
  epoch_ = wanted_epoch_;
  next_sequence_ = 0;
}

bool SlMessageSource::SetCaps(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  return gst_structure_get_int(structure, "width", &width_) &&
         gst_structure_get_int(structure, "height", &height_);
}

sightline::FrameIdentity SlMessageSource::Identify(GstBaseTransform* element, GstBuffer* buffer,
                                                   const SlFrameMeta* frame) {
  sightline::FrameIdentity identity;
  identity.stream_id = stream_id_;
  identity.session = session_;
  identity.epoch = epoch_;
  identity.width = static_cast<std::uint32_t>(width_);
  identity.height = static_cast<std::uint32_t>(height_);
  const SlFrameOrigin* origin = SlFrameOriginGet(buffer);
  if (origin != nullptr) {
    identity.stream_id = origin->stream_id;
    identity.session = origin->session;
    identity.epoch = origin->epoch;
    identity.record_suffix = origin->record_suffix;
  }
  const bool numbered = frame != nullptr && frame->sequence != SL_NO_SEQUENCE;
  identity.sequence = numbered ? frame->sequence : next_sequence_;
  next_sequence_ = identity.sequence + 1;
  const GstClockTime running =
      gst_segment_to_running_time(&element->segment, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  if (origin != nullptr) {
    identity.pts_ns = origin->pts_ns;
  } else if (GST_CLOCK_TIME_IS_VALID(running)) {
    identity.pts_ns = running;
  }
  if (frame != nullptr && frame->capture_unix_ns != 0) {
    identity.capture_unix_ns = frame->capture_unix_ns;
    identity.capture_clock = static_cast<sightline::CaptureClock>(frame->capture_clock);
  } else {
    identity.capture_unix_ns = SlUnixNs();
    identity.capture_clock = sightline::CaptureClock::kArrival;
  }
  return identity;
}

void SlInstallIdentityProperties(GObjectClass* klass, guint stream_id, guint session, guint epoch) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, stream_id,
      g_param_spec_string("stream-id", "stream-id", "Name of the stream in every message",
                          kDefaultStreamId, flags));
  g_object_class_install_property(
      klass, session,
      g_param_spec_string("session", "session",
                          "Name of this run of the pipeline in every message; by default one that "
                          "is made when the process starts",
                          nullptr, flags));
  g_object_class_install_property(
      klass, epoch,
      g_param_spec_uint64("epoch", "epoch", "Fencing token of the stream's owner, in every message",
                          0, G_MAXUINT64, 0, flags));
}

void SlMakeMessageElement(GstElementClass* element_class, const char* sink_caps, const char* kind) {
  const std::string src_caps =
      std::string("application/x-protobuf, message=(string)sightline.v1.") + kind;
  SlAddPads(element_class, sink_caps, src_caps.c_str());
  auto* transform_class = GST_BASE_TRANSFORM_CLASS(element_class);
  transform_class->transform_caps = TransformCaps;
  transform_class->prepare_output_buffer = PrepareOutput;
  transform_class->propose_allocation = ProposeAllocation;
  transform_class->decide_allocation = DecideAllocation;
}

void SlFillMessage(GstBuffer* buffer, const std::string& bytes) {
  gst_buffer_append_memory(buffer, gst_allocator_alloc(nullptr, bytes.size(), nullptr));
  gst_buffer_fill(buffer, 0, bytes.data(), bytes.size());
}
