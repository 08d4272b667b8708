#include "plugin/infer_state.h"
#include "plugin/provider_properties.h"

namespace {

constexpr guint kDefaultUniqueId = 15;
constexpr guint kMostBatch = 1024;
constexpr guint kDefaultBatchWaitUs = 500;

enum Property {
  PROP_CONFIG_FILE_PATH = 1,
  PROP_UNIQUE_ID,
  PROP_BATCH_SIZE,
  PROP_INTERVAL,
  PROP_FILTER_OUT_CLASS_IDS,
  PROP_ONNXRUNTIME_LIBRARY,
  PROP_INTRA_OP_THREADS,
  PROP_BATCH_WAIT_US,
  PROP_MODEL_NAME,
  PROP_MODEL_VERSION,
  PROP_FRAMES,
  PROP_FRAMES_INFERRED,
  PROP_FRAMES_BATCHED,
  PROP_OBJECTS,
  PROP_LAST_INFER_NS,
  PROP_TOTAL_INFER_NS,
  PROP_PROVIDER_FIRST,  // and those behind it
};

constexpr auto kSetting =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kSettingWhilePlaying = static_cast<GParamFlags>(
    G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
constexpr auto kReading = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

void InstallTexts(GObjectClass* klass) {
  const auto text = [klass](guint id, const char* name, const char* blurb,
                            GParamFlags flags = kSetting) {
    g_object_class_install_property(klass, id, g_param_spec_string(name, name, blurb, "", flags));
  };
  text(PROP_CONFIG_FILE_PATH, "config-file-path",
       "Configuration in nvinfer's INI format: model, labels, preprocessing, parser, thresholds; "
       "while playing one that differs in thresholds and the like alone",
       kSettingWhilePlaying);
  text(PROP_FILTER_OUT_CLASS_IDS, "filter-out-class-ids",
       "Numbers of classes whose objects are left out, with ; between them; wins over the "
       "configuration file",
       kSettingWhilePlaying);
  text(PROP_ONNXRUNTIME_LIBRARY, "onnxruntime-library",
       "Path of ONNX Runtime's shared library, 1.17 or newer; when empty, that of the environment "
       "variable SIGHTLINE_ONNXRUNTIME, else libonnxruntime.so.1 of the system");
  text(PROP_MODEL_NAME, "model-name",
       "The model's name in the metadata; when empty, the model file's name without its suffix");
  text(PROP_MODEL_VERSION, "model-version", "The model's version in the metadata");
}

void InstallNumbers(GObjectClass* klass) {
  const auto number = [klass](guint id, const char* name, const char* blurb, guint least,
                              guint most, guint value, GParamFlags flags = kSetting) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint(name, name, blurb, least, most, value, flags));
  };
  number(PROP_UNIQUE_ID, "unique-id",
         "Number of this detector among several; wins over the configuration file when set", 0,
         G_MAXINT, kDefaultUniqueId);
  number(PROP_BATCH_SIZE, "batch-size",
         "Most frames in one run of the model, of all elements that share it; wins over the "
         "configuration file when set",
         1, kMostBatch, 1);
  number(PROP_INTERVAL, "interval",
         "Frames passed without inference after each frame that is inferred; wins over the "
         "configuration file when set",
         0, G_MAXINT, 0, kSettingWhilePlaying);
  number(PROP_INTRA_OP_THREADS, "intra-op-threads",
         "Threads that work on one run of the model: 1 for many streams, 2 for the lowest latency "
         "of a single one",
         1, 64, 1);
  number(PROP_BATCH_WAIT_US, "batch-wait-us",
         "Longest wait, in microseconds, for other streams' frames to fill a batch larger than 1",
         0, 1000000, kDefaultBatchWaitUs);
}

void InstallCounters(GObjectClass* klass) {
  const auto counter = [klass](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0, kReading));
  };
  counter(PROP_FRAMES, "frames", "Frames since the element started");
  counter(PROP_FRAMES_INFERRED, "frames-inferred", "Frames the model ran on");
  counter(PROP_FRAMES_BATCHED, "frames-batched",
          "Frames that shared a run of the model with those of other streams");
  counter(PROP_OBJECTS, "objects", "Objects found");
  counter(PROP_LAST_INFER_NS, "last-infer-ns",
          "Time the last inferred frame took from its pixels to its objects, waiting for a free "
          "core included, in nanoseconds");
  counter(PROP_TOTAL_INFER_NS, "total-infer-ns",
          "The same of all inferred frames since the element started");
}

std::string Text(const GValue* value) {
  const gchar* text = g_value_get_string(value);
  return text != nullptr ? text : "";
}

}  // namespace

void SlInferInstallProperties(GObjectClass* klass) {
  InstallTexts(klass);
  InstallNumbers(klass);
  InstallCounters(klass);
  SlProviderInstallProperties(klass, PROP_PROVIDER_FIRST);
}

bool SlInferIsRule(guint id) {
  return id == PROP_CONFIG_FILE_PATH || id == PROP_FILTER_OUT_CLASS_IDS;
}

bool SlInferSet(SlInferState& state, guint id, const GValue* value) {
  DetectorSettings& settings = state.settings;
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
    case PROP_INTERVAL:
      settings.interval = static_cast<int>(g_value_get_uint(value));
      state.interval = g_value_get_uint(value);
      break;
    case PROP_FILTER_OUT_CLASS_IDS:
      settings.filter_out_class_ids = Text(value);
      break;
    case PROP_ONNXRUNTIME_LIBRARY:
      settings.library_path = Text(value);
      break;
    case PROP_INTRA_OP_THREADS:
      settings.intra_op_threads = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_BATCH_WAIT_US:
      settings.batch_wait_us = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_MODEL_NAME:
      state.model_name = Text(value);
      break;
    case PROP_MODEL_VERSION:
      state.model_version = Text(value);
      break;
    default:
      return SlProviderSet(settings.provider, id, PROP_PROVIDER_FIRST, value);
  }
  return true;
}

bool SlInferGet(const SlInferState& state, guint id, GValue* value) {
  const DetectorSettings& settings = state.settings;
  const auto number = [&](int set, guint otherwise) {
    g_value_set_uint(value, set >= 0 ? static_cast<guint>(set) : otherwise);
  };
  switch (id) {
    case PROP_CONFIG_FILE_PATH:
      g_value_set_string(value, settings.config_path.c_str());
      break;
    case PROP_UNIQUE_ID:
      number(settings.unique_id, kDefaultUniqueId);
      break;
    case PROP_BATCH_SIZE:
      number(settings.batch_size, 1);
      break;
    case PROP_INTERVAL:
      number(settings.interval, 0);
      break;
    case PROP_FILTER_OUT_CLASS_IDS:
      g_value_set_string(value, settings.filter_out_class_ids.c_str());
      break;
    case PROP_ONNXRUNTIME_LIBRARY:
      g_value_set_string(value, settings.library_path.c_str());
      break;
    case PROP_INTRA_OP_THREADS:
      number(settings.intra_op_threads, 1);
      break;
    case PROP_BATCH_WAIT_US:
      number(settings.batch_wait_us, kDefaultBatchWaitUs);
      break;
    case PROP_MODEL_NAME:
      g_value_set_string(value, state.model_name.c_str());
      break;
    case PROP_MODEL_VERSION:
      g_value_set_string(value, state.model_version.c_str());
      break;
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_FRAMES_INFERRED:
      g_value_set_uint64(value, state.frames_inferred);
      break;
    case PROP_FRAMES_BATCHED:
      g_value_set_uint64(value, state.frames_batched);
      break;
    case PROP_OBJECTS:
      g_value_set_uint64(value, state.objects);
      break;
    case PROP_LAST_INFER_NS:
      g_value_set_uint64(value, state.last_infer_ns);
      break;
    case PROP_TOTAL_INFER_NS:
      g_value_set_uint64(value, state.total_infer_ns);
      break;
    default:
      return SlProviderGet(settings.provider,
                           state.detector != nullptr ? &state.detector->engine() : nullptr, id,
                           PROP_PROVIDER_FIRST, value);
  }
  return true;
}
