#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>

#include "common/guard.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/metadata_filter.h"

// slsample chooses the frames whose picture is stored. Before a tee it marks them; in the picture's
// branch behind the tee, where buffers are shared and only read, it lets just the marked ones pass.

namespace {

enum Action { ACTION_MARK, ACTION_FILTER };
enum When { WHEN_ALWAYS, WHEN_OBJECTS, WHEN_MOTION };
enum Property {
  PROP_ACTION = 1,
  PROP_INTERVAL_MS,
  PROP_WHEN,
  PROP_MARKED,
  PROP_PASSED,
  PROP_DROPPED
};

constexpr guint kDefaultIntervalMs = 1000;

struct SlSampleState {
  std::atomic<int> action{ACTION_MARK};
  std::atomic<int> when{WHEN_ALWAYS};
  std::atomic<guint> interval_ms{kDefaultIntervalMs};
  std::atomic<guint64> marked{0};
  std::atomic<guint64> passed{0};
  std::atomic<guint64> dropped{0};
  GstClockTime last_mark = GST_CLOCK_TIME_NONE;
};

struct SlSample {
  GstBaseTransform base;
  SlSampleState* state;
};
struct SlSampleClass {
  GstBaseTransformClass base;
};

GType ActionType() {
  static const GEnumValue values[] = {
      {ACTION_MARK, "Mark frames whose picture is to be stored", "mark"},
      {ACTION_FILTER, "Drop frames that are not marked", "filter"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlSampleAction", values);
  return type;
}

GType WhenType() {
  static const GEnumValue values[] = {{WHEN_ALWAYS, "Any frame", "always"},
                                      {WHEN_OBJECTS, "Only frames with objects", "objects"},
                                      {WHEN_MOTION, "Only frames slmotion saw change", "motion"},
                                      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlSampleWhen", values);
  return type;
}

G_DEFINE_TYPE(SlSample, sl_sample, GST_TYPE_BASE_TRANSFORM)

SlSample* Self(gpointer object) { return reinterpret_cast<SlSample*>(object); }

gboolean Start(GstBaseTransform* base) {
  SlSampleState* state = Self(base)->state;
  state->marked = 0;
  state->passed = 0;
  state->dropped = 0;
  state->last_mark = GST_CLOCK_TIME_NONE;
  // A filter only reads, so buffers that are shared with other branches need no copy.
  gst_base_transform_set_passthrough(base, state->action == ACTION_FILTER);
  return TRUE;
}

bool HasObjects(GstBuffer* buffer) {
  return gst_buffer_get_meta(buffer, GST_VIDEO_REGION_OF_INTEREST_META_API_TYPE) != nullptr;
}

bool HasMoved(GstBuffer* buffer) {
  const SlFrameMeta* frame = SlFrameMetaGet(buffer);
  return frame != nullptr && frame->moved;
}

// Whether the interval is over. Time that goes backwards (a seek, a looping file) starts a new one.
bool IsDue(const SlSampleState& state, GstClockTime pts) {
  if (!GST_CLOCK_TIME_IS_VALID(pts) || !GST_CLOCK_TIME_IS_VALID(state.last_mark)) return true;
  return pts < state.last_mark || pts - state.last_mark >= state.interval_ms * GST_MSECOND;
}

void Mark(SlSampleState* state, GstBuffer* buffer) {
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  if (!IsDue(*state, pts)) return;
  if (state->when == WHEN_OBJECTS && !HasObjects(buffer)) return;
  if (state->when == WHEN_MOTION && !HasMoved(buffer)) return;
  SlFrameMeta* frame = SlFrameMetaEnsure(buffer);
  frame->image = TRUE;
  // The picture's key holds its capture time: both branches behind the tee must find the same one.
  if (frame->capture_unix_ns == 0) {
    frame->capture_unix_ns = SlUnixNs();
    frame->capture_clock = SL_CAPTURE_CLOCK_ARRIVAL;
  }
  state->last_mark = pts;
  ++state->marked;
}

GstFlowReturn Sample(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlSampleState* state = Self(base)->state;
    if (state->action == ACTION_MARK) {
      Mark(state, buffer);
    } else if (const SlFrameMeta* frame = SlFrameMetaGet(buffer);
               frame == nullptr || !frame->image) {
      ++state->dropped;
      return GST_BASE_TRANSFORM_FLOW_DROPPED;
    }
    ++state->passed;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlSampleState* state = Self(object)->state;
  switch (id) {
    case PROP_ACTION:
      state->action = g_value_get_enum(value);
      break;
    case PROP_INTERVAL_MS:
      state->interval_ms = g_value_get_uint(value);
      break;
    case PROP_WHEN:
      state->when = g_value_get_enum(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlSampleState& state = *Self(object)->state;
  switch (id) {
    case PROP_ACTION:
      g_value_set_enum(value, state.action);
      break;
    case PROP_INTERVAL_MS:
      g_value_set_uint(value, state.interval_ms);
      break;
    case PROP_WHEN:
      g_value_set_enum(value, state.when);
      break;
    case PROP_MARKED:
      g_value_set_uint64(value, state.marked);
      break;
    case PROP_PASSED:
      g_value_set_uint64(value, state.passed);
      break;
    case PROP_DROPPED:
      g_value_set_uint64(value, state.dropped);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_sample_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);
  const auto counter = [klass](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id,
        g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0,
                            static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  };
  g_object_class_install_property(
      klass, PROP_ACTION,
      g_param_spec_enum("action", "action", "Mark frames, or drop those without a mark",
                        ActionType(), ACTION_MARK,
                        static_cast<GParamFlags>(writable | GST_PARAM_MUTABLE_READY)));
  g_object_class_install_property(
      klass, PROP_INTERVAL_MS,
      g_param_spec_uint("interval-ms", "interval-ms",
                        "At most one frame is marked in this time, in milliseconds of presentation "
                        "time; 0 marks every frame",
                        0, G_MAXUINT, kDefaultIntervalMs,
                        static_cast<GParamFlags>(writable | GST_PARAM_MUTABLE_PLAYING)));
  g_object_class_install_property(
      klass, PROP_WHEN,
      g_param_spec_enum("when", "when", "Which frames may be marked", WhenType(), WHEN_ALWAYS,
                        static_cast<GParamFlags>(writable | GST_PARAM_MUTABLE_PLAYING)));
  counter(PROP_MARKED, "marked", "Frames marked since the element started");
  counter(PROP_PASSED, "passed", "Frames passed on since the element started");
  counter(PROP_DROPPED, "dropped", "Frames without a mark that the filter dropped");
}

void sl_sample_class_init(SlSampleClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);
  gst_type_mark_as_plugin_api(ActionType(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(WhenType(), static_cast<GstPluginAPIFlags>(0));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Frame sampler", "Filter/Video",
      "Chooses the frames whose picture is stored. Example: videotestsrc is-live=true ! slsample "
      "action=mark interval-ms=1000 ! tee name=t t. ! queue ! slmeta ! fakesink t. ! queue ! "
      "slsample action=filter ! videoconvert ! jpegenc ! slimage ! fakesink",
      "Sightline");
  SlAddPads(element_class, "ANY", "ANY");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->transform_ip = Sample;
  SlPassAllocation(transform_class);
}

void sl_sample_init(SlSample* self) {
  self->state = new SlSampleState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlSampleRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slsample", GST_RANK_NONE, sl_sample_get_type());
}
