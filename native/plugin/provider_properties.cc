#include "plugin/provider_properties.h"

#include <string>

using sightline::Engine;
using sightline::Provider;
using sightline::ProviderOptions;

namespace {

enum Property {
  kExecutionProvider,
  kGpuId,
  kGpuRequired,
  kEngineCacheDir,
  kProviderInUse,
  kFallbackReason,
};

GType ProviderType() {
  static const GEnumValue values[] = {
      {static_cast<gint>(Provider::kCpu), "The CPU", "cpu"},
      {static_cast<gint>(Provider::kCuda), "CUDA", "cuda"},
      {static_cast<gint>(Provider::kTensorRt), "TensorRT, with CUDA for what it cannot run",
       "tensorrt"},
      {0, nullptr, nullptr},
  };
  static const GType type = g_enum_register_static("SlExecutionProvider", values);
  return type;
}

constexpr auto kSetting =
    static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
constexpr auto kReading = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);

}  // namespace

void SlProviderInstallProperties(GObjectClass* klass, guint first) {
  const auto install = [&](guint id, GParamSpec* spec) {
    g_object_class_install_property(klass, first + id, spec);
  };
  install(kExecutionProvider,
          g_param_spec_enum("execution-provider", "execution-provider",
                            "What of ONNX Runtime runs the model; where it cannot, the next of "
                            "tensorrt, cuda, cpu does, and a warning says why",
                            ProviderType(), static_cast<gint>(Provider::kCpu), kSetting));
  install(kGpuId, g_param_spec_uint("gpu-id", "gpu-id", "Number of the GPU, as CUDA counts", 0,
                                    1023, 0, kSetting));
  install(kGpuRequired,
          g_param_spec_boolean("gpu-required", "gpu-required",
                               "Refuse to start where the model would run on the CPU though "
                               "execution-provider names another",
                               FALSE, kSetting));
  install(kEngineCacheDir,
          g_param_spec_string("engine-cache-dir", "engine-cache-dir",
                              "Folder in which TensorRT keeps the engines it builds; when empty, "
                              "they are built at each start",
                              "", kSetting));
  install(kProviderInUse, g_param_spec_string("provider-in-use", "provider-in-use",
                                              "ONNX Runtime's name of what runs the model, such as "
                                              "CUDAExecutionProvider; empty before the start",
                                              "", kReading));
  install(kFallbackReason,
          g_param_spec_string("fallback-reason", "fallback-reason",
                              "Why that is not what execution-provider names", "", kReading));
}

bool SlProviderSet(ProviderOptions& options, guint id, guint first, const GValue* value) {
  if (id < first) return false;
  switch (id - first) {
    case kExecutionProvider:
      options.wanted = static_cast<Provider>(g_value_get_enum(value));
      return true;
    case kGpuId:
      options.gpu_id = static_cast<int>(g_value_get_uint(value));
      return true;
    case kGpuRequired:
      options.gpu_required = g_value_get_boolean(value);
      return true;
    case kEngineCacheDir: {
      const gchar* text = g_value_get_string(value);
      options.engine_cache = text != nullptr ? text : "";
      return true;
    }
    default:
      return false;
  }
}

bool SlProviderGet(const ProviderOptions& options, const Engine* engine, guint id, guint first,
                   GValue* value) {
  if (id < first) return false;
  switch (id - first) {
    case kExecutionProvider:
      g_value_set_enum(value, static_cast<gint>(options.wanted));
      return true;
    case kGpuId:
      g_value_set_uint(value, static_cast<guint>(options.gpu_id));
      return true;
    case kGpuRequired:
      g_value_set_boolean(value, options.gpu_required);
      return true;
    case kEngineCacheDir:
      g_value_set_string(value, options.engine_cache.c_str());
      return true;
    case kProviderInUse:
      g_value_set_string(value,
                         engine != nullptr ? sightline::ProviderName(engine->provider()) : "");
      return true;
    case kFallbackReason:
      g_value_set_string(value, engine != nullptr ? engine->fallback_reason().c_str() : "");
      return true;
    default:
      return false;
  }
}

void SlProviderTellFallback(GstElement* element, const Engine& engine) {
  if (engine.fallback_reason().empty()) return;
  GST_ELEMENT_WARNING_WITH_DETAILS(
      element, LIBRARY, INIT,
      ("%s runs the model: %s", sightline::ProviderName(engine.provider()),
       engine.fallback_reason().c_str()),
      (nullptr), ("sl-code", G_TYPE_STRING, "SL_GPU_UNAVAILABLE", nullptr));
}
