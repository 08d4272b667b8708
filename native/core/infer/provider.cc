#include "core/infer/provider.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>

#include "core/error.h"

namespace sightline {
namespace {

using Settings = std::vector<std::pair<const char*, std::string>>;

struct CText {
  explicit CText(const Settings& settings) {
    for (const auto& [key, value] : settings) {
      keys.push_back(key);
      values.push_back(value.c_str());
    }
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

void AppendCuda(const OrtLibrary& library, OrtSessionOptions* session,
                const ProviderOptions& options) {
  const OrtApi& api = library.api();
  OrtCUDAProviderOptionsV2* raw = nullptr;
  library.Check(api.CreateCudaOptions(&raw), "use CUDA");
  const std::unique_ptr<OrtCUDAProviderOptionsV2, void (*)(OrtCUDAProviderOptionsV2*)> owned(
      raw, api.ReleaseCudaOptions);
  // A search through all of cuDNN's algorithms, which is the default, finds none that is faster and
  // delays the start.
  const Settings settings = {{"device_id", std::to_string(options.gpu_id)},
                             {"cudnn_conv_algo_search", "HEURISTIC"}};
  const CText text(settings);
  library.Check(api.UpdateCudaOptions(raw, text.keys.data(), text.values.data(), text.keys.size()),
                "set up CUDA");
  library.Check(api.AppendCuda(session, raw), "use CUDA");
}

// "images:8x3x384x512"
std::string Profile(const InputShape& shape) {
  std::ostringstream text;
  text << shape.input << ':';
  for (size_t i = 0; i < shape.dims.size(); ++i) text << (i == 0 ? "" : "x") << shape.dims[i];
  return text.str();
}

void AppendTensorRt(const OrtLibrary& library, OrtSessionOptions* session,
                    const ProviderOptions& options, const InputShape& shape) {
  const OrtApi& api = library.api();
  OrtTensorRTProviderOptionsV2* raw = nullptr;
  library.Check(api.CreateTensorRtOptions(&raw), "use TensorRT");
  const std::unique_ptr<OrtTensorRTProviderOptionsV2, void (*)(OrtTensorRTProviderOptionsV2*)>
      owned(raw, api.ReleaseTensorRtOptions);
  Settings settings = {{"device_id", std::to_string(options.gpu_id)}};
  if (!options.engine_cache.empty()) {
    settings.insert(settings.end(), {{"trt_engine_cache_enable", "1"},
                                     {"trt_engine_cache_path", options.engine_cache},
                                     {"trt_timing_cache_enable", "1"},
                                     {"trt_timing_cache_path", options.engine_cache}});
  }
  if (!shape.input.empty()) {
    const std::string profile = Profile(shape);
    settings.insert(settings.end(), {{"trt_profile_min_shapes", profile},
                                     {"trt_profile_opt_shapes", profile},
                                     {"trt_profile_max_shapes", profile}});
  }
  const CText text(settings);
  library.Check(
      api.UpdateTensorRtOptions(raw, text.keys.data(), text.values.data(), text.keys.size()),
      "set up TensorRT");
  library.Check(api.AppendTensorRt(session, raw), "use TensorRT");
}

// What the library was built with, whether or not it can be used here.
void RequireBuilt(const OrtLibrary& library, Provider provider) {
  char** names = nullptr;
  int count = 0;
  library.Check(library.api().GetAvailableProviders(&names, &count), "list its providers");
  const std::vector<std::string> built(names, names + count);
  library.Check(library.api().ReleaseAvailableProviders(names, count), "list its providers");
  if (std::find(built.begin(), built.end(), ProviderName(provider)) != built.end()) return;
  throw Error(ErrorKind::kModel,
              "this build of ONNX Runtime does not have it; give that of the "
              "package onnxruntime-gpu");
}

}  // namespace

const char* ProviderName(Provider provider) {
  switch (provider) {
    case Provider::kCuda:
      return "CUDAExecutionProvider";
    case Provider::kTensorRt:
      return "TensorrtExecutionProvider";
    case Provider::kCpu:
      break;
  }
  return "CPUExecutionProvider";
}

std::vector<Provider> ProvidersToTry(const ProviderOptions& options) {
  if (options.wanted == Provider::kCpu) return {Provider::kCpu};
  std::vector<Provider> providers = {options.wanted};
  if (options.wanted == Provider::kTensorRt) providers.push_back(Provider::kCuda);
  if (!options.gpu_required) providers.push_back(Provider::kCpu);
  return providers;
}

void AppendProvider(const OrtLibrary& library, OrtSessionOptions* session, Provider provider,
                    const ProviderOptions& options, const InputShape& shape) {
  if (provider == Provider::kCpu) return;
  RequireBuilt(library, provider);
  if (provider == Provider::kTensorRt) AppendTensorRt(library, session, options, shape);
  AppendCuda(library, session, options);
}

}  // namespace sightline
