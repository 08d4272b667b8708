#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "plugin/classify_stream.h"
#include "plugin/element_errors.h"
#include "plugin/elements.h"
#include "plugin/metadata_filter.h"
#include "plugin/provider_properties.h"

// slclassify looks at objects that slinfer found, and names one attribute of each with an ONNX
// model, as a secondary nvinfer does and from the same configuration file. It changes no pixel.

namespace {

GST_DEBUG_CATEGORY_STATIC(sl_classify_debug);
#define GST_CAT_DEFAULT sl_classify_debug

constexpr char kLibraryVariable[] = "SIGHTLINE_ONNXRUNTIME";
constexpr guint kDefaultUniqueId = 15;

enum Property {
  PROP_CONFIG_FILE_PATH = 1,
  PROP_UNIQUE_ID,
  PROP_BATCH_SIZE,
  PROP_ONNXRUNTIME_LIBRARY,
  PROP_INTRA_OP_THREADS,
  PROP_FRAMES,
  PROP_OBJECTS,
  PROP_OBJECTS_INFERRED,
  PROP_LAST_INFER_NS,
  PROP_PROVIDER_FIRST,  // and those behind it
};

struct SlClassifyState {
  ClassifierSettings settings;  // under the object's lock; read once, by start()

  std::unique_ptr<SlClassifyStream>
      stream;  // from start() to stop(); made and ended under the lock
  std::atomic<guint64> frames{0};
  std::atomic<guint64> objects{0};
  std::atomic<guint64> objects_inferred{0};
  std::atomic<guint64> last_infer_ns{0};
};

struct SlClassify {
  GstBaseTransform base;
  SlClassifyState* state;
};
struct SlClassifyClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlClassify, sl_classify, GST_TYPE_BASE_TRANSFORM)

SlClassify* Self(gpointer object) { return reinterpret_cast<SlClassify*>(object); }

gboolean Start(GstBaseTransform* base) {
  return SlGuardErrors(GST_ELEMENT(base), gboolean{FALSE}, [&]() -> gboolean {
    SlClassifyState& state = *Self(base)->state;
    GST_OBJECT_LOCK(base);
    ClassifierSettings settings = state.settings;
    GST_OBJECT_UNLOCK(base);
    const gchar* library = g_getenv(kLibraryVariable);
    if (settings.library_path.empty() && library != nullptr) settings.library_path = library;
    auto stream = std::make_unique<SlClassifyStream>(settings);
    GST_OBJECT_LOCK(base);
    state.stream = std::move(stream);
    GST_OBJECT_UNLOCK(base);
    state.frames = state.objects = state.objects_inferred = state.last_infer_ns = 0;
    SlProviderTellFallback(GST_ELEMENT(base), state.stream->classifier().engine());
    const sightline::InferConfig& config = state.stream->classifier().config();
    GST_INFO_OBJECT(base, "%s: %zu labels of '%s', batch %d", config.onnx_file.c_str(),
                    config.labels.size(), config.classifier_type.c_str(), config.batch_size);
    if (!config.without_effect.empty()) {
      GST_INFO_OBJECT(base, "%s: without effect on the CPU: %s", config.path.c_str(),
                      sightline::JoinKeys(config.without_effect).c_str());
    }
    return TRUE;
  });
}

gboolean Stop(GstBaseTransform* base) {
  GST_OBJECT_LOCK(base);
  const std::unique_ptr<SlClassifyStream> ended = std::move(Self(base)->state->stream);
  GST_OBJECT_UNLOCK(base);
  return TRUE;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return SlGuardErrors(GST_ELEMENT(base), gboolean{FALSE}, [&]() -> gboolean {
    GstVideoInfo info;
    if (!gst_video_info_from_caps(&info, caps)) {
      GST_ELEMENT_ERROR(base, STREAM, FORMAT, ("Cannot understand the video's format"),
                        ("%" GST_PTR_FORMAT, caps));
      return FALSE;
    }
    Self(base)->state->stream->SetFormat(info);
    return TRUE;
  });
}

gboolean SinkEvent(GstBaseTransform* base, GstEvent* event) {
  SlClassifyState& state = *Self(base)->state;
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP && state.stream) state.stream->Flush();
  return GST_BASE_TRANSFORM_CLASS(sl_classify_parent_class)->sink_event(base, event);
}

GstFlowReturn ClassifyFrame(GstBaseTransform* base, GstBuffer* buffer) {
  return SlGuardErrors(GST_ELEMENT(base), GST_FLOW_ERROR, [&]() -> GstFlowReturn {
    SlClassifyState& state = *Self(base)->state;
    const SlClassifyStream::Counts counts = state.stream->Process(buffer);
    ++state.frames;
    state.objects += counts.objects;
    state.objects_inferred += counts.inferred;
    if (counts.inferred > 0) state.last_infer_ns = counts.infer_ns;
    return GST_FLOW_OK;
  });
}

std::string Text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  ClassifierSettings& settings = Self(object)->state->settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_CONFIG_FILE_PATH:
      settings.config_path = Text(value);
      break;
    case PROP_UNIQUE_ID:
      settings.unique_id = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_BATCH_SIZE:
      settings.batch_size = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_ONNXRUNTIME_LIBRARY:
      settings.library_path = Text(value);
      break;
    case PROP_INTRA_OP_THREADS:
      settings.intra_op_threads = static_cast<int>(g_value_get_uint(value));
      break;
    default:
      if (SlProviderSet(settings.provider, id, PROP_PROVIDER_FIRST, value)) break;
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlClassifyState& state = *Self(object)->state;
  const ClassifierSettings& settings = state.settings;
  GST_OBJECT_LOCK(object);
  switch (id) {
    case PROP_CONFIG_FILE_PATH:
      g_value_set_string(value, settings.config_path.c_str());
      break;
    case PROP_UNIQUE_ID:
      g_value_set_uint(value, settings.unique_id >= 0 ? static_cast<guint>(settings.unique_id)
                                                      : kDefaultUniqueId);
      break;
    case PROP_BATCH_SIZE:
      g_value_set_uint(value,
                       settings.batch_size > 0 ? static_cast<guint>(settings.batch_size) : 1);
      break;
    case PROP_ONNXRUNTIME_LIBRARY:
      g_value_set_string(value, settings.library_path.c_str());
      break;
    case PROP_INTRA_OP_THREADS:
      g_value_set_uint(value, static_cast<guint>(settings.intra_op_threads));
      break;
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_OBJECTS:
      g_value_set_uint64(value, state.objects);
      break;
    case PROP_OBJECTS_INFERRED:
      g_value_set_uint64(value, state.objects_inferred);
      break;
    case PROP_LAST_INFER_NS:
      g_value_set_uint64(value, state.last_infer_ns);
      break;
    default:
      if (SlProviderGet(settings.provider,
                        state.stream ? &state.stream->classifier().engine() : nullptr, id,
                        PROP_PROVIDER_FIRST, value)) {
        break;
      }
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(object);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_classify_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  constexpr auto setting = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                    GST_PARAM_MUTABLE_READY);
  constexpr auto reading = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto text = [klass](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(klass, id, g_param_spec_string(name, name, blurb, "", setting));
  };
  const auto number = [klass](guint id, const char* name, const char* blurb, guint least,
                              guint most, guint value) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint(name, name, blurb, least, most, value, setting));
  };
  const auto counter = [klass](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0, reading));
  };
  text(PROP_CONFIG_FILE_PATH, "config-file-path",
       "Configuration of a classifier in nvinfer's INI format (process-mode=2, network-type=1): "
       "model, labels, preprocessing, threshold, and which objects are looked at when");
  text(PROP_ONNXRUNTIME_LIBRARY, "onnxruntime-library",
       "Path of ONNX Runtime's shared library, 1.17 or newer; when empty, that of the environment "
       "variable SIGHTLINE_ONNXRUNTIME, else libonnxruntime.so.1 of the system");
  number(PROP_UNIQUE_ID, "unique-id",
         "Number of this classifier in the messages; wins over the configuration file when set", 0,
         G_MAXINT, kDefaultUniqueId);
  number(PROP_BATCH_SIZE, "batch-size",
         "Most objects in one run of the model; wins over the configuration file when set", 1, 1024,
         1);
  number(PROP_INTRA_OP_THREADS, "intra-op-threads", "Threads that work on one run of the model", 1,
         64, 1);
  counter(PROP_FRAMES, "frames", "Frames since the element started");
  counter(PROP_OBJECTS, "objects", "Objects on them that the configuration chooses");
  counter(PROP_OBJECTS_INFERRED, "objects-inferred",
          "Objects the model looked at; the others kept the label they got before");
  counter(PROP_LAST_INFER_NS, "last-infer-ns",
          "Time the last frame with objects to look at took, in nanoseconds");
  SlProviderInstallProperties(klass, PROP_PROVIDER_FIRST);
}

void sl_classify_class_init(SlClassifyClass* klass) {
  GST_DEBUG_CATEGORY_INIT(sl_classify_debug, "slclassify", 0, "Sightline's classifier");
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Object classifier", "Filter/Analyzer/Video",
      "Names an attribute of objects that slinfer found, with an ONNX model, configured "
      "as a secondary nvinfer is. Example: filesrc location=street.mp4 ! decodebin ! slinfer "
      "config-file-path=models/centernet-512x384/nvinfer.txt ! sltrack ! slclassify "
      "config-file-path=models/vehicle-colour/nvinfer.txt ! slmeta ! fakesink dump=true",
      "Sightline");
  SlAddPads(element_class, GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL),
            GST_VIDEO_CAPS_MAKE(GST_VIDEO_FORMATS_ALL));

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->stop = Stop;
  transform_class->set_caps = SetCaps;
  transform_class->sink_event = SinkEvent;
  transform_class->transform_ip = ClassifyFrame;
  SlPassAllocation(transform_class);
}

void sl_classify_init(SlClassify* self) {
  self->state = new SlClassifyState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlClassifyRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slclassify", GST_RANK_NONE, sl_classify_get_type());
}
