#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>
#include <optional>
#include <string>

#include "deepstream/frame_sampler.h"
#include "deepstream/meta_library.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/guard_errors.h"
#include "plugin/metadata_filter.h"

// sldssample chooses the frames of DeepStream batches whose picture is stored, as slsample does on
// the CPU. The choice is made once, and with it everything that names the frame (number and capture
// time), so that message and picture cannot disagree:
//
//   ... ! sldssample action=mark interval-ms=1000 when=objects ! tee name=t
//   t. ! queue ! sldsmeta ! appsink                                 Frame.image_ref where marked
//   t. ! queue ! sldssample action=filter ! nvstreamdemux name=d    only batches with a marked
//   frame d.src_0 ! queue ! sldssample action=name ! nvvideoconvert ! nvjpegenc ! slimage
//   strict=true ...
//
// "mark" writes into the frame's metadata (reader/frame_mark.h), which nvstreamdemux copies. "name"
// drops frames without a mark and puts SlFrameMeta on the others, which encoders pass on: they do
// not pass on NvDsBatchMeta. No queue behind the tee may be leaky, or a frame would name a picture
// that is never sent.

namespace {

using sightline::FrameMark;

enum Action { ACTION_MARK, ACTION_FILTER, ACTION_NAME };
enum When { WHEN_ALWAYS, WHEN_OBJECTS };
enum Property {
  PROP_ACTION = 1,
  PROP_INTERVAL_MS,
  PROP_WHEN,
  PROP_CAPTURE_CLOCK,
  PROP_LIBRARY_DIR,
  PROP_MARKED,
  PROP_PASSED,
  PROP_DROPPED,
};

constexpr guint kDefaultIntervalMs = 1000;

struct SlDsSampleState {
  std::atomic<int> action{ACTION_MARK};
  std::atomic<int> when{WHEN_ALWAYS};
  std::atomic<guint> interval_ms{kDefaultIntervalMs};
  std::atomic<guint64> marked{0};
  std::atomic<guint64> passed{0};
  std::atomic<guint64> dropped{0};
  // Under the object's lock.
  std::string capture_clock = kDefaultCaptureClock;
  std::string library_dir;

  const MetaLibrary* library = nullptr;
  FrameSampler sampler;
  bool warned = false;
};

struct SlDsSample {
  GstBaseTransform base;
  SlDsSampleState* state;
};
struct SlDsSampleClass {
  GstBaseTransformClass base;
};

GType ActionType() {
  static const GEnumValue values[] = {
      {ACTION_MARK, "Mark the frames whose picture is to be stored", "mark"},
      {ACTION_FILTER, "Drop batches without a marked frame", "filter"},
      {ACTION_NAME, "Behind nvstreamdemux: drop frames without a mark, name the others", "name"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlDsSampleAction", values);
  return type;
}

GType WhenType() {
  static const GEnumValue values[] = {{WHEN_ALWAYS, "Any frame", "always"},
                                      {WHEN_OBJECTS, "Only frames with objects", "objects"},
                                      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlDsSampleWhen", values);
  return type;
}

G_DEFINE_TYPE(SlDsSample, sl_ds_sample, GST_TYPE_BASE_TRANSFORM)

SlDsSample* Self(gpointer object) { return reinterpret_cast<SlDsSample*>(object); }

gboolean Start(GstBaseTransform* base) {
  return GuardErrors(base, gboolean{FALSE}, [&]() -> gboolean {
    SlDsSampleState* state = Self(base)->state;
    GST_OBJECT_LOCK(base);
    const std::string folder = state->library_dir;
    const std::string clock = state->capture_clock;
    GST_OBJECT_UNLOCK(base);
    state->library = &LoadMetaLibrary(folder);
    state->sampler.Start(ParseCaptureClock(clock));
    state->marked = state->passed = state->dropped = 0;
    state->warned = false;
    // Marks go into the batch, which belongs to the buffer and all its references: nothing is
    // copied. Only a name is put on the buffer itself, which nvstreamdemux has just made.
    gst_base_transform_set_passthrough(base, state->action != ACTION_NAME);
    return TRUE;
  });
}

void Name(const FrameMark& mark, GstBuffer* buffer) {
  SlFrameMeta* meta = SlFrameMetaEnsure(buffer);
  meta->sequence = mark.sequence;
  meta->capture_unix_ns = mark.capture_unix_ns;
  meta->capture_clock = static_cast<SlCaptureClock>(mark.capture_clock);
  meta->image = TRUE;
}

void WarnOnce(GstBaseTransform* base) {
  SlDsSampleState* state = Self(base)->state;
  if (state->warned) return;
  state->warned = true;
  GST_ELEMENT_WARNING(base, STREAM, FORMAT,
                      ("A buffer has no NvDsBatchMeta, so no picture of it can be chosen"),
                      ("Put nvstreammux before the element"));
}

// Whether the buffer goes on, and for a demuxed one under which name.
bool Choose(GstBaseTransform* base, GstBuffer* buffer, std::optional<FrameMark>* chosen) {
  SlDsSampleState* state = Self(base)->state;
  const bool marks = state->action == ACTION_MARK;
  sightline::nvds::NvDsBatchMeta* batch = state->library->batch_of(buffer);
  if (batch == nullptr) {
    WarnOnce(base);
    return marks;
  }
  const BatchLock lock(*state->library, batch);
  if (marks) {
    const bool only_with_objects = state->when == WHEN_OBJECTS;
    state->marked += state->sampler.Mark(base, batch, state->interval_ms, only_with_objects);
    return true;
  }
  *chosen = state->sampler.FindChosen(*batch);
  return chosen->has_value();
}

GstFlowReturn Sample(GstBaseTransform* base, GstBuffer* buffer) {
  return GuardErrors(base, GST_FLOW_ERROR, [&] {
    SlDsSampleState* state = Self(base)->state;
    std::optional<FrameMark> chosen;
    if (!Choose(base, buffer, &chosen)) {
      ++state->dropped;
      return GST_BASE_TRANSFORM_FLOW_DROPPED;
    }
    if (state->action == ACTION_NAME) Name(*chosen, buffer);
    ++state->passed;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlDsSampleState* state = Self(object)->state;
  const auto set_text = [&](std::string* text) {
    const gchar* given = g_value_get_string(value);
    GST_OBJECT_LOCK(object);
    *text = given != nullptr ? given : "";
    GST_OBJECT_UNLOCK(object);
  };
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
    case PROP_CAPTURE_CLOCK:
      set_text(&state->capture_clock);
      break;
    case PROP_LIBRARY_DIR:
      set_text(&state->library_dir);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlDsSampleState& state = *Self(object)->state;
  const auto get_text = [&](const std::string& text) {
    GST_OBJECT_LOCK(object);
    g_value_set_string(value, text.c_str());
    GST_OBJECT_UNLOCK(object);
  };
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
    case PROP_CAPTURE_CLOCK:
      get_text(state.capture_clock);
      break;
    case PROP_LIBRARY_DIR:
      get_text(state.library_dir);
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
  G_OBJECT_CLASS(sl_ds_sample_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  const int writable = G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS;
  const auto ready = static_cast<GParamFlags>(writable | GST_PARAM_MUTABLE_READY);
  const auto playing = static_cast<GParamFlags>(writable | GST_PARAM_MUTABLE_PLAYING);
  const auto counter = [klass](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id,
        g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0,
                            static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS)));
  };
  g_object_class_install_property(
      klass, PROP_ACTION,
      g_param_spec_enum("action", "action", "Mark frames, or let only marked ones pass",
                        ActionType(), ACTION_MARK, ready));
  g_object_class_install_property(
      klass, PROP_INTERVAL_MS,
      g_param_spec_uint("interval-ms", "interval-ms",
                        "At most one frame of a stream is marked in this time, in milliseconds of "
                        "presentation time; 0 marks every frame",
                        0, G_MAXUINT, kDefaultIntervalMs, playing));
  g_object_class_install_property(klass, PROP_WHEN,
                                  g_param_spec_enum("when", "when", "Which frames may be marked",
                                                    WhenType(), WHEN_ALWAYS, playing));
  g_object_class_install_property(
      klass, PROP_CAPTURE_CLOCK,
      g_param_spec_string("capture-clock", "capture-clock",
                          "What the muxer's ntp_timestamp is: \"rtcp\" or \"arrival\"",
                          kDefaultCaptureClock, ready));
  g_object_class_install_property(
      klass, PROP_LIBRARY_DIR,
      g_param_spec_string("deepstream-library-dir", "deepstream-library-dir",
                          "Folder of NVIDIA's metadata libraries, see sldsmeta", "", ready));
  counter(PROP_MARKED, "marked", "Frames marked since the element started");
  counter(PROP_PASSED, "passed", "Buffers passed on since the element started");
  counter(PROP_DROPPED, "dropped", "Buffers without a marked frame that were dropped");
}

void sl_ds_sample_class_init(SlDsSampleClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);
  gst_type_mark_as_plugin_api(ActionType(), static_cast<GstPluginAPIFlags>(0));
  gst_type_mark_as_plugin_api(WhenType(), static_cast<GstPluginAPIFlags>(0));

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "DeepStream frame sampler", "Filter/Video",
      "Chooses the frames of DeepStream batches whose picture is stored. Example: ... ! sldssample "
      "action=mark ! tee name=t t. ! queue ! sldsmeta ! fakesink t. ! queue ! sldssample "
      "action=filter ! nvstreamdemux name=d d.src_0 ! queue ! sldssample action=name ! "
      "nvvideoconvert ! nvjpegenc ! slimage strict=true ! fakesink",
      "Sightline");
  SlAddPads(element_class, "ANY", "ANY");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->transform_ip = Sample;
  SlPassAllocation(transform_class);
}

void sl_ds_sample_init(SlDsSample* self) {
  self->state = new SlDsSampleState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlDsSampleRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "sldssample", GST_RANK_NONE, sl_ds_sample_get_type());
}
