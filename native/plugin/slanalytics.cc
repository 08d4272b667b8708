#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <string>

#include "common/guard.h"
#include "core/analytics/rules.h"
#include "plugin/analytics_properties.h"
#include "plugin/analytics_stream.h"
#include "plugin/elements.h"
#include "plugin/metadata_filter.h"

// slanalytics counts tracked objects in zones and over lines, from the configuration file of
// nvdsanalytics. It changes no pixel and copies none.

namespace {

struct SlAnalyticsState {
  // Under the object's lock; taken over at the next frame. The rules are null until they were read.
  std::string config_file;
  SlAnalyticsSettings wanted = {nullptr, 0, kSlSurfaceWidth, kSlSurfaceHeight};
  bool changed = true;

  std::atomic<bool> enable{true};
  std::atomic<bool> running{false};
  std::atomic<guint64> frames{0};
  std::atomic<guint64> crossings{0};
  SlAnalyticsStream stream;  // the streaming thread's
};

struct SlAnalytics {
  GstBaseTransform base;
  SlAnalyticsState* state;
};
struct SlAnalyticsClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlAnalytics, sl_analytics, GST_TYPE_BASE_TRANSFORM)

SlAnalytics* Self(gpointer object) { return reinterpret_cast<SlAnalytics*>(object); }

std::shared_ptr<const sightline::AnalyticsRules> Load(const std::string& path) {
  return std::make_shared<const sightline::AnalyticsRules>(sightline::LoadAnalyticsRules(path));
}

gboolean FailStart(GstBaseTransform* base, const char* message) {
  GST_ELEMENT_ERROR(base, RESOURCE, SETTINGS, ("%s", message), (nullptr));
  return FALSE;
}

// A new session counts from 0 again.
gboolean Start(GstBaseTransform* base) {
  SlAnalyticsState* state = Self(base)->state;
  GST_OBJECT_LOCK(base);
  const std::string path = state->config_file;
  GST_OBJECT_UNLOCK(base);
  if (path.empty()) {
    return FailStart(base, "config-file is not set; give the path of a file with zones and lines");
  }
  try {
    auto rules = Load(path);
    GST_OBJECT_LOCK(base);
    state->wanted.rules = std::move(rules);
    state->changed = true;
    GST_OBJECT_UNLOCK(base);
  } catch (const std::exception& error) {
    return FailStart(base, error.what());
  }
  state->stream = SlAnalyticsStream();
  state->frames = 0;
  state->crossings = 0;
  state->running = true;
  return TRUE;
}

gboolean Stop(GstBaseTransform* base) {
  Self(base)->state->running = false;
  return TRUE;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return Self(base)->state->stream.SetCaps(caps);
}

void TakeSettings(GstBaseTransform* base, SlAnalyticsState* state) {
  GST_OBJECT_LOCK(base);
  if (state->changed) state->stream.SetSettings(state->wanted);
  state->changed = false;
  GST_OBJECT_UNLOCK(base);
}

GstFlowReturn AnalyzeFrame(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlAnalyticsState* state = Self(base)->state;
    TakeSettings(base, state);
    if (!state->enable || !state->stream.enabled()) return GST_FLOW_OK;
    state->stream.Analyze(buffer);
    state->crossings = state->stream.crossings();
    ++state->frames;
    return GST_FLOW_OK;
  });
}

// Reads the file at once where the element runs, so that the caller learns of a bad one; then the
// old rules stay.
void SetConfigFile(GObject* object, const gchar* path) {
  SlAnalyticsState* state = Self(object)->state;
  const std::string wanted = path != nullptr ? path : "";
  std::shared_ptr<const sightline::AnalyticsRules> rules;
  if (state->running) {
    try {
      rules = Load(wanted);
    } catch (const std::exception& error) {
      GST_ELEMENT_WARNING(object, RESOURCE, SETTINGS,
                          ("%s. The rules that were set before stay in force", error.what()),
                          (nullptr));
      return;
    }
  }
  GST_OBJECT_LOCK(object);
  state->config_file = wanted;
  if (rules != nullptr) {
    state->wanted.rules = std::move(rules);
    state->changed = true;
  }
  GST_OBJECT_UNLOCK(object);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlAnalyticsState* state = Self(object)->state;
  if (id == SL_ANALYTICS_CONFIG_FILE) {
    SetConfigFile(object, g_value_get_string(value));
    return;
  }
  GST_OBJECT_LOCK(object);
  switch (id) {
    case SL_ANALYTICS_STREAM_INDEX:
      state->wanted.stream_index = g_value_get_uint(value);
      break;
    case SL_ANALYTICS_ENABLE:
      state->enable = g_value_get_boolean(value) != FALSE;
      break;
    case SL_ANALYTICS_SURFACE_WIDTH:
      state->wanted.surface_width = g_value_get_uint(value);
      break;
    case SL_ANALYTICS_SURFACE_HEIGHT:
      state->wanted.surface_height = g_value_get_uint(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlAnalyticsState& state = *Self(object)->state;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case SL_ANALYTICS_CONFIG_FILE:
      g_value_set_string(value, state.config_file.c_str());
      break;
    case SL_ANALYTICS_STREAM_INDEX:
      g_value_set_uint(value, state.wanted.stream_index);
      break;
    case SL_ANALYTICS_ENABLE:
      g_value_set_boolean(value, state.enable);
      break;
    case SL_ANALYTICS_SURFACE_WIDTH:
      g_value_set_uint(value, state.wanted.surface_width);
      break;
    case SL_ANALYTICS_SURFACE_HEIGHT:
      g_value_set_uint(value, state.wanted.surface_height);
      break;
    case SL_ANALYTICS_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case SL_ANALYTICS_CROSSINGS:
      g_value_set_uint64(value, state.crossings);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_analytics_parent_class)->finalize(object);
}

void sl_analytics_class_init(SlAnalyticsClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  SlInstallAnalyticsProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Object analytics", "Filter/Analyzer/Video",
      "Counts tracked objects in zones, over lines and by direction. Example: "
      "filesrc location=clip.mp4 ! decodebin ! videoconvert ! slinfer config-file-path=model.txt ! "
      "sltrack ! slanalytics config-file=zones.txt ! slmeta ! fakesink",
      "Sightline");
  SlAddPads(element_class, "video/x-raw(ANY)", "video/x-raw(ANY)");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->stop = Stop;
  transform_class->set_caps = SetCaps;
  transform_class->transform_ip = AnalyzeFrame;
  SlPassAllocation(transform_class);
}

void sl_analytics_init(SlAnalytics* self) {
  self->state = new SlAnalyticsState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlAnalyticsRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slanalytics", GST_RANK_NONE, sl_analytics_get_type());
}
