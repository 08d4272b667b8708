#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>

#include "common/guard.h"
#include "plugin/decode_errors.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/latency_event.h"
#include "plugin/metadata_filter.h"
#include "plugin/skip_reasons.h"
#include "plugin/source_clock.h"

// slstamp notes when a frame came and when it was decoded. It changes no pixel and copies none.

namespace {

enum Stage { STAGE_RECEIVE, STAGE_DECODE };
enum Property {
  PROP_STAGE = 1,
  PROP_DROP_INTERVAL,
  PROP_FRAMES,
  PROP_FRAMES_DROPPED,
  PROP_FRAMES_CORRUPT,
  PROP_LAST_FRAME_NS,
  PROP_SKIPPED_BY_REASON,
  PROP_TOTAL_DECODE_NS,
  PROP_CAPTURE_CLOCK
};

struct SlStampState {
  std::atomic<int> stage{STAGE_RECEIVE};
  std::atomic<guint> drop_interval{0};
  std::atomic<guint64> frames{0};
  std::atomic<guint64> frames_corrupt{0};
  std::atomic<guint64> last_frame_ns{0};
  std::atomic<guint64> total_decode_ns{0};
  std::atomic<int> capture_clock{SL_CAPTURE_CLOCK_UNSPECIFIED};
  SlSkipReason interval{"drop-interval"};
  SlSkipReason newest{"budget-newest"};
  // What sllatency last said: frames are late, and which one it looked at.
  std::atomic<bool> late{false};
  std::atomic<guint64> seen_sequence{0};
  // Of the streaming thread.
  guint64 last_passed = 0;  // number of the last picture that went on
  guint64 next_sequence = 0;
  guint since_kept = 0;  // pictures dropped since the last one that was kept
  SlSourceClock clock;
};

struct SlStamp {
  GstBaseTransform base;
  SlStampState* state;
};
struct SlStampClass {
  GstBaseTransformClass base;
};

GType CaptureClockType() {
  static const GEnumValue values[] = {
      {SL_CAPTURE_CLOCK_UNSPECIFIED, "No frame has come", "unspecified"},
      {SL_CAPTURE_CLOCK_ARRIVAL, "The frame's arrival", "arrival"},
      {SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT, "The camera's own clock", "rtcp-sender-report"},
      {SL_CAPTURE_CLOCK_MEDIA, "The time in the file", "media"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlStampCaptureClock", values);
  return type;
}

GType StageType() {
  static const GEnumValue values[] = {
      {STAGE_RECEIVE, "Behind the source: arrival and capture time", "receive"},
      {STAGE_DECODE, "Behind the decoder: sequence number and decode time", "decode"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlStampStage", values);
  return type;
}

G_DEFINE_TYPE(SlStamp, sl_stamp, GST_TYPE_BASE_TRANSFORM)

SlStamp* Self(gpointer object) { return reinterpret_cast<SlStamp*>(object); }

gboolean Start(GstBaseTransform* base) {
  SlStampState* state = Self(base)->state;
  state->clock.Reset();
  state->next_sequence = 0;
  state->since_kept = 0;
  state->frames = 0;
  state->frames_corrupt = 0;
  state->interval.frames = 0;
  state->newest.frames = 0;
  state->late = false;
  state->last_frame_ns = 0;
  state->total_decode_ns = 0;
  state->capture_clock = SL_CAPTURE_CLOCK_UNSPECIFIED;
  if (state->stage == STAGE_DECODE) SlWatchDecodeErrors();
  return TRUE;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return Guard(base, gboolean{FALSE}, [&]() -> gboolean {
    Self(base)->state->clock.SetCaps(caps);
    return TRUE;
  });
}

// One picture in `drop-interval` goes on, the first one for sure.
bool DropPicture(SlStampState* state) {
  const guint interval = state->drop_interval.load(std::memory_order_relaxed);
  const bool first = state->next_sequence == 1;
  if (first || ++state->since_kept >= interval) {
    state->since_kept = 0;
    return false;
  }
  ++state->interval.frames;
  return true;
}

// While frames are late, no new picture goes on before those that wait are through.
bool RefusePicture(SlStampState* state) {
  if (!state->late || state->seen_sequence >= state->last_passed) return false;
  ++state->newest.frames;
  return true;
}

// What the decoder marked, or patched up without a mark.
bool IsCorrupt(GstBuffer* picture) {
  const bool concealed = SlTakeConcealedPictures() > 0;
  return concealed || GST_BUFFER_FLAG_IS_SET(picture, GST_BUFFER_FLAG_CORRUPTED);
}

gboolean SrcEvent(GstBaseTransform* base, GstEvent* event) {
  SlStampState* state = Self(base)->state;
  const auto report = SlReadLatencyReport(event);
  if (report && state->stage == STAGE_DECODE) {
    state->seen_sequence = report->sequence;
    state->late = report->late && report->drop == SL_LATENCY_NEWEST;
  }
  return GST_BASE_TRANSFORM_CLASS(sl_stamp_parent_class)->src_event(base, event);
}

GstFlowReturn StampBuffer(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlStampState* state = Self(base)->state;
    const guint64 now_ns = SlMonotonicNs();
    SlFrameMeta* frame = SlFrameMetaEnsure(buffer);
    if (state->stage == STAGE_RECEIVE) {
      state->clock.Stamp(base, buffer, frame);
    } else {
      // Behind a source that brings its own decoder nobody has stamped the arrival.
      if (frame->capture_unix_ns == 0) state->clock.Stamp(base, buffer, frame);
      frame->decode_end_ns = now_ns;
      if (frame->receive_ns != 0) state->total_decode_ns += now_ns - frame->receive_ns;
      // A frame of a queue has the number that its camera's pipeline gave it.
      if (frame->sequence == SL_NO_SEQUENCE) frame->sequence = state->next_sequence;
      ++state->next_sequence;
      if (IsCorrupt(buffer)) state->frames_corrupt.fetch_add(1, std::memory_order_relaxed);
    }
    state->frames.fetch_add(1, std::memory_order_relaxed);
    state->last_frame_ns = now_ns;
    state->capture_clock.store(frame->capture_clock, std::memory_order_relaxed);
    if (state->stage == STAGE_RECEIVE) return GST_FLOW_OK;
    if (DropPicture(state) || RefusePicture(state)) return GST_BASE_TRANSFORM_FLOW_DROPPED;
    state->last_passed = frame->sequence;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlStampState* state = Self(object)->state;
  switch (id) {
    case PROP_STAGE:
      state->stage = g_value_get_enum(value);
      break;
    case PROP_DROP_INTERVAL:
      state->drop_interval = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlStampState& state = *Self(object)->state;
  switch (id) {
    case PROP_STAGE:
      g_value_set_enum(value, state.stage);
      break;
    case PROP_DROP_INTERVAL:
      g_value_set_uint(value, state.drop_interval);
      break;
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_FRAMES_DROPPED:
      g_value_set_uint64(value, state.interval.frames + state.newest.frames);
      break;
    case PROP_FRAMES_CORRUPT:
      g_value_set_uint64(value, state.frames_corrupt);
      break;
    case PROP_LAST_FRAME_NS:
      g_value_set_uint64(value, state.last_frame_ns);
      break;
    case PROP_SKIPPED_BY_REASON:
      g_value_set_string(value, SlSkippedByReason(state.interval, state.newest).c_str());
      break;
    case PROP_TOTAL_DECODE_NS:
      g_value_set_uint64(value, state.total_decode_ns);
      break;
    case PROP_CAPTURE_CLOCK:
      g_value_set_enum(value, state.capture_clock);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_stamp_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* object_class) {
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, PROP_STAGE,
      g_param_spec_enum("stage", "Stage", "Where in the pipeline the element stands", StageType(),
                        STAGE_RECEIVE,
                        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      object_class, PROP_DROP_INTERVAL,
      g_param_spec_uint("drop-interval", "Drop interval",
                        "Behind a decoder: pass one picture in this many, and drop the others; 0 "
                        "and 1: pass all",
                        0, 1000, 0,
                        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      object_class, PROP_FRAMES,
      g_param_spec_uint64("frames", "Frames",
                          "Buffers that came since the element started (packets before a "
                          "depayloader, pictures behind a decoder)",
                          0, G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      object_class, PROP_FRAMES_DROPPED,
      g_param_spec_uint64("frames-dropped", "Frames dropped",
                          "Of them those left out, for whatever reason; their numbers are used up",
                          0, G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      object_class, PROP_FRAMES_CORRUPT,
      g_param_spec_uint64("frames-corrupt", "Frames corrupt",
                          "Behind a decoder: pictures that it marked as corrupt, or patched up "
                          "(libav with max-threads=1)",
                          0, G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      object_class, PROP_LAST_FRAME_NS,
      g_param_spec_uint64("last-frame-ns", "Last frame",
                          "Monotonic time of the last buffer, in nanoseconds; 0 before the first",
                          0, G_MAXUINT64, 0, readable));
  g_object_class_install_property(object_class, PROP_SKIPPED_BY_REASON, SlSkippedByReasonSpec());
  g_object_class_install_property(
      object_class, PROP_TOTAL_DECODE_NS,
      g_param_spec_uint64("total-decode-ns", "Total decode time",
                          "Behind a decoder: time from arrival to picture of all pictures since "
                          "the element started, in nanoseconds",
                          0, G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      object_class, PROP_CAPTURE_CLOCK,
      g_param_spec_enum("capture-clock", "Capture clock",
                        "How the last buffer's capture time is known", CaptureClockType(),
                        SL_CAPTURE_CLOCK_UNSPECIFIED, readable));
}

void sl_stamp_class_init(SlStampClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Frame time stamp", "Filter/Metadata",
      "Notes each frame's capture, arrival and decode time and its number. Example: rtspsrc "
      "location=rtsp://host/path ! slstamp stage=receive ! rtph264depay ! h264parse ! avdec_h264 ! "
      "slstamp stage=decode ! slmeta ! fakesink",
      "Sightline");
  SlAddPads(element_class, "ANY", "ANY");
  gst_type_mark_as_plugin_api(StageType(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(CaptureClockType(), static_cast<GstPluginAPIFlags>(0));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->src_event = SrcEvent;
  transform_class->transform_ip = StampBuffer;
  SlPassAllocation(transform_class);
}

void sl_stamp_init(SlStamp* self) {
  self->state = new SlStampState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlStampRegister(GstPlugin* plugin) {
  SlFrameMetaGetInfo();  // known by name to applications from the moment the plugin is loaded
  return gst_element_register(plugin, "slstamp", GST_RANK_NONE, sl_stamp_get_type());
}
