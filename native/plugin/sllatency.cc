#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>

#include "common/guard.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/latency_event.h"
#include "plugin/metadata_filter.h"
#include "plugin/skip_reasons.h"

// sllatency stands before the detector of a live stream and keeps it to a latency budget: it
// measures how old each frame is, and leaves out late ones or has them left out upstream (see
// latency_event.h).

namespace {

enum Property {
  PROP_BUDGET_MS = 1,
  PROP_DROP,
  PROP_LAST_AGE_NS,
  PROP_FRAMES_DROPPED,
  PROP_SKIPPED_BY_REASON
};

struct SlLatencyState {
  std::atomic<guint> budget_ms{0};
  std::atomic<int> drop{SL_LATENCY_OLDEST};
  std::atomic<guint64> last_age_ns{0};
  SlSkipReason oldest{"budget-oldest"};
  // Of the streaming thread: what the elements upstream were told last.
  SlLatencyReport told;
};

struct SlLatency {
  GstBaseTransform base;
  SlLatencyState* state;
};
struct SlLatencyClass {
  GstBaseTransformClass base;
};

GType DropType() {
  static const GEnumValue values[] = {
      {SL_LATENCY_OLDEST, "Leave out frames that are late", "oldest"},
      {SL_LATENCY_NEWEST, "Take no new pictures until those that wait are through", "newest"},
      {SL_LATENCY_NON_KEY, "Decode key frames alone until the stream has caught up", "non-key"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlLatencyDrop", values);
  return type;
}

G_DEFINE_TYPE(SlLatency, sl_latency, GST_TYPE_BASE_TRANSFORM)

SlLatency* Self(gpointer object) { return reinterpret_cast<SlLatency*>(object); }

gboolean Start(GstBaseTransform* base) {
  SlLatencyState* state = Self(base)->state;
  state->oldest.frames = 0;
  state->last_age_ns = 0;
  state->told = {};
  return TRUE;
}

// Those upstream act on newest and non-key alone; they are also told when that ends.
void Tell(GstBaseTransform* base, SlLatencyState* state, const SlLatencyReport& report) {
  if (report.drop == SL_LATENCY_OLDEST || report.budget_ns == 0) {
    if (state->told.budget_ns == 0) return;
    state->told.budget_ns = 0;
    state->told.late = false;
  } else {
    state->told = report;
  }
  SlSendLatencyReport(base, state->told);
}

GstFlowReturn CheckAge(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlLatencyState* state = Self(base)->state;
    const guint64 age_ns = SlFrameAgeNs(base, buffer);
    state->last_age_ns = age_ns;
    const SlFrameMeta* frame = SlFrameMetaGet(buffer);
    SlLatencyReport report;
    report.drop = static_cast<SlLatencyDrop>(state->drop.load());
    report.budget_ns = guint64{state->budget_ms} * GST_MSECOND;
    report.sequence = frame != nullptr ? frame->sequence : SL_NO_SEQUENCE;
    report.late = report.budget_ns > 0 && age_ns > report.budget_ns;
    Tell(base, state, report);
    if (!report.late || report.drop != SL_LATENCY_OLDEST) return GST_FLOW_OK;
    ++state->oldest.frames;
    return GST_BASE_TRANSFORM_FLOW_DROPPED;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlLatencyState* state = Self(object)->state;
  switch (id) {
    case PROP_BUDGET_MS:
      state->budget_ms = g_value_get_uint(value);
      break;
    case PROP_DROP:
      state->drop = g_value_get_enum(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlLatencyState& state = *Self(object)->state;
  switch (id) {
    case PROP_BUDGET_MS:
      g_value_set_uint(value, state.budget_ms);
      break;
    case PROP_DROP:
      g_value_set_enum(value, state.drop);
      break;
    case PROP_LAST_AGE_NS:
      g_value_set_uint64(value, state.last_age_ns);
      break;
    case PROP_FRAMES_DROPPED:
      g_value_set_uint64(value, state.oldest.frames);
      break;
    case PROP_SKIPPED_BY_REASON:
      g_value_set_string(value, SlSkippedByReason(state.oldest).c_str());
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_latency_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* object_class) {
  const auto setting = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                GST_PARAM_MUTABLE_PLAYING);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object_class, PROP_BUDGET_MS,
      g_param_spec_uint("budget-ms", "Budget",
                        "Most age of a frame, from its first packet to this element, in "
                        "milliseconds; 0: none",
                        0, 3600000, 0, setting));
  g_object_class_install_property(
      object_class, PROP_DROP,
      g_param_spec_enum("drop", "Drop", "What is left out when frames are older", DropType(),
                        SL_LATENCY_OLDEST, setting));
  g_object_class_install_property(
      object_class, PROP_LAST_AGE_NS,
      g_param_spec_uint64("last-age-ns", "Last age", "Age of the last frame, in nanoseconds", 0,
                          G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      object_class, PROP_FRAMES_DROPPED,
      g_param_spec_uint64("frames-dropped", "Frames dropped",
                          "Frames left out here; their numbers are used up", 0, G_MAXUINT64, 0,
                          readable));
  g_object_class_install_property(object_class, PROP_SKIPPED_BY_REASON, SlSkippedByReasonSpec());
}

void sl_latency_class_init(SlLatencyClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Latency budget", "Filter/Video",
      "Keeps late frames of a live stream from what follows. Example: rtspsrc "
      "location=rtsp://host/path ! rtph264depay ! h264parse ! slskip ! avdec_h264 ! slstamp "
      "stage=decode ! queue leaky=downstream max-size-buffers=1 ! sllatency budget-ms=200 ! "
      "fakesink",
      "Sightline");
  SlAddPads(element_class, "ANY", "ANY");
  gst_type_mark_as_plugin_api(DropType(), static_cast<GstPluginAPIFlags>(0));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->transform_ip = CheckAge;
  SlPassAllocation(transform_class);
}

void sl_latency_init(SlLatency* self) {
  self->state = new SlLatencyState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlLatencyRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "sllatency", GST_RANK_NONE, sl_latency_get_type());
}
