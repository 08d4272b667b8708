#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/infer/ort_api.h"

namespace sightline {

// What runs a model: an "execution provider" of ONNX Runtime.
enum class Provider { kCpu, kCuda, kTensorRt };

// ONNX Runtime's own name of it, such as "CUDAExecutionProvider".
const char* ProviderName(Provider provider);

struct ProviderOptions {
  Provider wanted = Provider::kCpu;
  int gpu_id = 0;  // as CUDA counts
  // Fail where no GPU can be used, rather than run on the CPU.
  bool gpu_required = false;
  // Folder of TensorRT's engines, which take minutes to build; empty: none is kept.
  std::string engine_cache;
};

// What is tried for `wanted`, in this order: the CPU last, and only where it may be.
std::vector<Provider> ProvidersToTry(const ProviderOptions& options);

// The one shape that TensorRT is to build for, where the model leaves dimensions of its input open.
struct InputShape {
  std::string input;  // empty: nothing is open
  std::vector<int64_t> dims;
};

// Has a session use a provider. TensorRT gets CUDA behind it for what it cannot run, and everything
// gets the CPU. `shape` is TensorRT's. Throws Error of kModel with ONNX Runtime's reason, such as a
// library that the provider needs and that is not there.
void AppendProvider(const OrtLibrary& library, OrtSessionOptions* session, Provider provider,
                    const ProviderOptions& options, const InputShape& shape);

}  // namespace sightline
