#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>

#include "common/guard.h"
#include "core/codec/picture_kind.h"
#include "plugin/elements.h"
#include "plugin/latency_event.h"
#include "plugin/metadata_filter.h"
#include "plugin/skip_reasons.h"

// slskip stands before a decoder and leaves out pictures that need not be decoded: because it is
// set so, or because the stream is beyond its latency budget (sllatency drop=non-key). It takes
// whole, parsed pictures (alignment=au). libav's own `skip-frame` property has had no effect since
// FFmpeg renumbered what it takes, and no other decoder has one.

namespace {

using sightline::VideoCodec;

enum Skip { SKIP_NONE, SKIP_NON_REFERENCE, SKIP_NON_KEY };
enum Property { PROP_SKIP = 1, PROP_FRAMES_SKIPPED, PROP_SKIPPED_BY_REASON };

struct SlSkipState {
  std::atomic<int> skip{SKIP_NONE};
  SlSkipReason set{"skip-frames"};
  SlSkipReason budget{"non-key"};
  // What sllatency asks for: the budget (0: nothing), and to let key frames through alone.
  std::atomic<guint64> budget_ns{0};
  std::atomic<bool> late{false};
  // Of the streaming thread: what the caps say, and whether a picture that others need was left out
  // since the last key frame, and why.
  VideoCodec codec = VideoCodec::kOther;
  int length_bytes = 0;
  bool broken = false;
  SlSkipReason* reason = &set;
};

struct SlSkip {
  GstBaseTransform base;
  SlSkipState* state;
};
struct SlSkipClass {
  GstBaseTransformClass base;
};

GType SkipType() {
  static const GEnumValue values[] = {
      {SKIP_NONE, "Decode every picture", "none"},
      {SKIP_NON_REFERENCE, "Leave out pictures that no other one needs", "non-reference"},
      {SKIP_NON_KEY, "Decode key frames alone", "non-key"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlSkipMode", values);
  return type;
}

G_DEFINE_TYPE(SlSkip, sl_skip, GST_TYPE_BASE_TRANSFORM)

SlSkip* Self(gpointer object) { return reinterpret_cast<SlSkip*>(object); }

gboolean Start(GstBaseTransform* base) {
  SlSkipState* state = Self(base)->state;
  state->set.frames = 0;
  state->budget.frames = 0;
  state->budget_ns = 0;
  state->late = false;
  state->broken = false;
  return TRUE;
}

int LengthBytes(VideoCodec codec, const GstStructure* caps) {
  const gchar* format = gst_structure_get_string(caps, "stream-format");
  const GValue* value = gst_structure_get_value(caps, "codec_data");
  if (format == nullptr || g_str_equal(format, "byte-stream") || value == nullptr) return 0;
  GstMapInfo map;
  GstBuffer* codec_data = gst_value_get_buffer(value);
  if (codec_data == nullptr || !gst_buffer_map(codec_data, &map, GST_MAP_READ)) return 0;
  const int bytes = sightline::NalLengthBytes(codec, map.data, map.size);
  gst_buffer_unmap(codec_data, &map);
  return bytes;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  SlSkipState* state = Self(base)->state;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  state->codec = gst_structure_has_name(structure, "video/x-h264")   ? VideoCodec::kH264
                 : gst_structure_has_name(structure, "video/x-h265") ? VideoCodec::kH265
                                                                     : VideoCodec::kOther;
  state->length_bytes = LengthBytes(state->codec, structure);
  return TRUE;
}

bool IsNonReference(const SlSkipState& state, GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return false;
  const bool result =
      sightline::IsNonReference(state.codec, map.data, map.size, state.length_bytes);
  gst_buffer_unmap(buffer, &map);
  return result;
}

// Whether the stream is beyond its budget: sllatency has said so of a frame, or one is already on
// its way to the decoder. It is back at a key frame that is well within, for the pictures between
// two key frames need all those before them.
bool IsLate(GstBaseTransform* base, SlSkipState* state, GstBuffer* buffer, bool key) {
  const guint64 budget_ns = state->budget_ns;
  if (budget_ns == 0) return false;
  const guint64 age_ns = SlFrameAgeNs(base, buffer);
  if (age_ns > budget_ns) state->late = true;
  if (key && age_ns < budget_ns / 2) state->late = false;
  return state->late;
}

// Why the picture is to be left out; null when it is not. After one that others need was, its
// followers cannot be decoded either: the next key frame mends it, whatever is asked by then.
SlSkipReason* LeaveOut(GstBaseTransform* base, SlSkipState* state, GstBuffer* buffer) {
  const bool key = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  const bool late = IsLate(base, state, buffer, key);
  if (key) {
    state->broken = false;
    return nullptr;
  }
  const int skip = state->skip.load(std::memory_order_relaxed);
  if (skip == SKIP_NON_KEY || late) {
    state->reason = skip == SKIP_NON_KEY ? &state->set : &state->budget;
    state->broken = true;
  }
  if (state->broken) return state->reason;
  return skip == SKIP_NON_REFERENCE && IsNonReference(*state, buffer) ? &state->set : nullptr;
}

gboolean SrcEvent(GstBaseTransform* base, GstEvent* event) {
  const auto report = SlReadLatencyReport(event);
  if (!report) return GST_BASE_TRANSFORM_CLASS(sl_skip_parent_class)->src_event(base, event);
  SlSkipState* state = Self(base)->state;
  const bool mine = report->drop == SL_LATENCY_NON_KEY;
  state->budget_ns = mine ? report->budget_ns : 0;
  if (report->late || state->budget_ns == 0) state->late = report->late && mine;
  gst_event_unref(event);
  return TRUE;
}

GstFlowReturn PassOrDrop(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlSkipState* state = Self(base)->state;
    SlSkipReason* reason = LeaveOut(base, state, buffer);
    if (reason == nullptr) return GST_FLOW_OK;
    ++reason->frames;
    return GST_BASE_TRANSFORM_FLOW_DROPPED;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (id == PROP_SKIP) {
    Self(object)->state->skip = g_value_get_enum(value);
  } else {
    G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlSkipState& state = *Self(object)->state;
  switch (id) {
    case PROP_SKIP:
      g_value_set_enum(value, state.skip);
      break;
    case PROP_FRAMES_SKIPPED:
      g_value_set_uint64(value, state.set.frames + state.budget.frames);
      break;
    case PROP_SKIPPED_BY_REASON:
      g_value_set_string(value, SlSkippedByReason(state.set, state.budget).c_str());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_skip_parent_class)->finalize(object);
}

void sl_skip_class_init(SlSkipClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  g_object_class_install_property(
      object_class, PROP_SKIP,
      g_param_spec_enum("skip", "Skip", "Which pictures are not decoded", SkipType(), SKIP_NONE,
                        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      object_class, PROP_FRAMES_SKIPPED,
      g_param_spec_uint64("frames-skipped", "Frames skipped",
                          "Pictures left out since the element started", 0, G_MAXUINT64, 0,
                          static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  g_object_class_install_property(object_class, PROP_SKIPPED_BY_REASON, SlSkippedByReasonSpec());

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Picture skipper", "Filter/Video",
      "Leaves out coded pictures that need not be decoded. Example: rtspsrc "
      "location=rtsp://host/path ! rtph264depay ! h264parse ! slskip skip=non-key ! avdec_h264 ! "
      "fakesink",
      "Sightline");
  SlAddPads(element_class, "ANY", "ANY");
  gst_type_mark_as_plugin_api(SkipType(), static_cast<GstPluginAPIFlags>(0));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->src_event = SrcEvent;
  transform_class->transform_ip = PassOrDrop;
  SlPassAllocation(transform_class);
}

void sl_skip_init(SlSkip* self) {
  self->state = new SlSkipState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlSkipRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slskip", GST_RANK_NONE, sl_skip_get_type());
}
