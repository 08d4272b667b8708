#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "plugin/detection_meta.h"
#include "plugin/element_errors.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/infer_state.h"
#include "plugin/mapped_frame.h"
#include "plugin/metadata_filter.h"
#include "plugin/provider_properties.h"

// slinfer finds objects on video frames with an ONNX model. It takes nvinfer's configuration file
// and properties, changes no pixel, and adds what it finds as metadata (see detection_meta.h).

namespace {

GST_DEBUG_CATEGORY_STATIC(sl_infer_debug);
GST_DEBUG_CATEGORY_STATIC(onnxruntime_debug);
#define GST_CAT_DEFAULT sl_infer_debug

constexpr char kLibraryVariable[] = "SIGHTLINE_ONNXRUNTIME";

struct SlInfer {
  GstBaseTransform base;
  SlInferState* state;
};
struct SlInferClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlInfer, sl_infer, GST_TYPE_BASE_TRANSFORM)

SlInfer* Self(gpointer object) { return reinterpret_cast<SlInfer*>(object); }

void LogFromOnnxRuntime(void*, int severity, const char* category, const char*,
                        const char* location, const char* message) {
  const GstDebugLevel level = severity >= 3   ? GST_LEVEL_ERROR
                              : severity == 2 ? GST_LEVEL_WARNING
                                              : GST_LEVEL_INFO;
  GST_CAT_LEVEL_LOG(onnxruntime_debug, level, nullptr, "%s %s: %s", category, location, message);
}

// "yolov8n" of "/models/yolov8n.onnx".
std::string FileStem(const std::string& path) {
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
}

gboolean Start(GstBaseTransform* base) {
  SlInfer* self = Self(base);
  return SlGuardErrors(GST_ELEMENT(self), gboolean{FALSE}, [&]() -> gboolean {
    SlInferState& state = *self->state;
    GST_OBJECT_LOCK(self);
    DetectorSettings settings = state.settings;
    std::string name = state.model_name;
    const std::string version = state.model_version;
    GST_OBJECT_UNLOCK(self);
    const gchar* library = g_getenv(kLibraryVariable);
    if (settings.library_path.empty() && library != nullptr) settings.library_path = library;

    auto detector = std::make_shared<Detector>(settings);
    GST_OBJECT_LOCK(self);
    state.detector = detector;
    state.rules = nullptr;
    GST_OBJECT_UNLOCK(self);
    const sightline::Engine& engine = state.detector->engine();
    const sightline::InferConfig& config = state.detector->config();
    if (name.empty()) name = FileStem(config.onnx_file);
    state.name = g_quark_from_string(name.c_str());
    state.version = g_quark_from_string(version.c_str());
    state.provider = g_quark_from_static_string(sightline::ProviderName(engine.provider()));
    GST_OBJECT_LOCK(self);
    // The property may have been set while the model was loading.
    const int interval = state.settings.interval;
    state.interval = static_cast<guint>(interval >= 0 ? interval : config.interval);
    GST_OBJECT_UNLOCK(self);
    state.until_next = 0;
    state.frames = state.frames_inferred = state.frames_batched = 0;
    state.objects = state.last_infer_ns = state.total_infer_ns = 0;
    GST_INFO_OBJECT(self, "%s at %dx%d by %s of ONNX Runtime %s (%s), batch %d, %d at once",
                    config.onnx_file.c_str(), engine.width(), engine.height(),
                    sightline::ProviderName(engine.provider()), engine.library().version().c_str(),
                    engine.library().path().c_str(), config.batch_size, engine.runs_at_once());
    SlProviderTellFallback(GST_ELEMENT(self), engine);
    if (!config.without_effect.empty()) {
      GST_INFO_OBJECT(self, "%s: without effect on the CPU: %s", config.path.c_str(),
                      sightline::JoinKeys(config.without_effect).c_str());
    }
    return TRUE;
  });
}

gboolean Stop(GstBaseTransform* base) {
  GST_OBJECT_LOCK(base);
  const std::shared_ptr<Detector> ended = std::move(Self(base)->state->detector);
  GST_OBJECT_UNLOCK(base);
  return TRUE;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  SlInfer* self = Self(base);
  return SlGuardErrors(GST_ELEMENT(self), gboolean{FALSE}, [&]() -> gboolean {
    SlInferState& state = *self->state;
    if (!gst_video_info_from_caps(&state.info, caps)) {
      GST_ELEMENT_ERROR(self, STREAM, FORMAT, ("Cannot understand the video's format"),
                        ("%" GST_PTR_FORMAT, caps));
      return FALSE;
    }
    state.detector->SetFormat(state.info);
    return TRUE;
  });
}

void InferFrame(SlInferState& state, GstBuffer* buffer, SlFrameMeta* meta) {
  const guint64 start_ns = SlMonotonicNs();
  // Unmapped at once: a mapped frame holds a reference, and a shared buffer takes no metas.
  const std::vector<sightline::Detection>& found =
      state.detector->Detect(SlMappedFrame(&state.info, buffer).get());
  const guint64 end_ns = SlMonotonicNs();
  meta->inferred = TRUE;
  meta->infer_start_ns = start_ns;
  meta->infer_end_ns = end_ns;
  for (const sightline::Detection& detection : found) {
    SlObject object;
    object.detection = detection;
    object.label = state.detector->label(detection.class_id);
    object.component = static_cast<guint>(state.detector->config().gie_unique_id);
    SlAddObject(buffer, object, GST_VIDEO_INFO_WIDTH(&state.info),
                GST_VIDEO_INFO_HEIGHT(&state.info));
  }
  ++state.frames_inferred;
  if (state.detector->batched_with() > 1) ++state.frames_batched;
  state.objects += found.size();
  state.last_infer_ns = end_ns - start_ns;
  state.total_infer_ns += end_ns - start_ns;
}

GstFlowReturn TransformInPlace(GstBaseTransform* base, GstBuffer* buffer) {
  SlInfer* self = Self(base);
  return SlGuardErrors(GST_ELEMENT(self), GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    SlInferState& state = *self->state;
    SlFrameMeta* meta = SlFrameMetaEnsure(buffer);
    meta->model_name = state.name;
    meta->model_version = state.version;
    meta->execution_provider = state.provider;
    ++state.frames;
    const guint interval = state.interval.load(std::memory_order_relaxed);
    // A shorter interval holds at once, not after what is left of the long one.
    state.until_next = std::min(state.until_next, interval);
    if (state.until_next > 0) {
      --state.until_next;
      return GST_FLOW_OK;
    }
    state.until_next = interval;
    GST_OBJECT_LOCK(self);
    std::unique_ptr<DetectorRules> rules = std::move(state.rules);
    GST_OBJECT_UNLOCK(self);
    if (rules != nullptr) state.detector->SetRules(std::move(rules));
    InferFrame(state, buffer, meta);
    return GST_FLOW_OK;
  });
}

// Reads the configuration at once where the element runs, so that the caller learns of one that it
// cannot take: then everything stays as it was, the property too.
bool TakeRule(GObject* object, guint id, const GValue* value) {
  SlInferState& state = *Self(object)->state;
  SlInferState wanted;
  GST_OBJECT_LOCK(object);
  const std::shared_ptr<Detector> detector = state.detector;
  wanted.settings = state.settings;
  GST_OBJECT_UNLOCK(object);
  if (detector == nullptr) return true;
  SlInferSet(wanted, id, value);
  try {
    auto rules = detector->ReadRules(wanted.settings);
    GST_OBJECT_LOCK(object);
    state.rules = std::move(rules);
    GST_OBJECT_UNLOCK(object);
    return true;
  } catch (const std::exception& error) {
    GST_ELEMENT_WARNING(object, RESOURCE, SETTINGS,
                        ("%s. What was set before stays in force", error.what()), (nullptr));
    return false;
  }
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  if (SlInferIsRule(id) && !TakeRule(object, id, value)) return;
  GST_OBJECT_LOCK(object);
  const bool known = SlInferSet(*Self(object)->state, id, value);
  GST_OBJECT_UNLOCK(object);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GST_OBJECT_LOCK(object);
  const bool known = SlInferGet(*Self(object)->state, id, value);
  GST_OBJECT_UNLOCK(object);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_infer_parent_class)->finalize(object);
}

void sl_infer_class_init(SlInferClass* klass) {
  GST_DEBUG_CATEGORY_INIT(sl_infer_debug, "slinfer", 0, "Sightline's detector");
  GST_DEBUG_CATEGORY_INIT(onnxruntime_debug, "onnxruntime", 0, "ONNX Runtime's own log");
  sightline::OrtLibrary::SetLog(LogFromOnnxRuntime);

  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  SlInferInstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Object detector", "Filter/Analyzer/Video",
      "Finds objects on video frames with an ONNX model, configured as nvinfer is, and "
      "adds them as GstVideoRegionOfInterestMeta. Example: filesrc location=street.mp4 ! decodebin "
      "! slinfer config-file-path=models/centernet-512x384/nvinfer.txt "
      "onnxruntime-library=libonnxruntime.so.1 ! fakesink",
      "Sightline");
  SlAddPads(element_class, GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL),
            GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->stop = Stop;
  transform_class->set_caps = SetCaps;
  transform_class->transform_ip = TransformInPlace;
  SlPassAllocation(transform_class);
}

void sl_infer_init(SlInfer* self) {
  self->state = new SlInferState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlInferRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slinfer", GST_RANK_NONE, sl_infer_get_type());
}
