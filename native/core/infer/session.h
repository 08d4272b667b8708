#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/infer/ort_api.h"
#include "core/infer/provider.h"
#include "core/parsers/tensor.h"

namespace sightline {

// A tensor as the model declares it. A dimension the model leaves open is -1.
struct TensorSpec {
  std::string name;
  int element = 0;  // ONNX's element type number: 1 float32, 7 int64
  std::vector<int64_t> dims;
};

// An ONNX Runtime object with the function that frees it.
template <class T>
using OrtOwned = std::unique_ptr<T, void (*)(T*)>;
using OrtTensor = OrtOwned<OrtValue>;

struct SessionOptions {
  std::string model_path;
  // Threads inside one Run. 1: no pool is made and Run works in the caller's thread.
  int intra_op_threads = 1;
  Provider provider = Provider::kCpu;
  ProviderOptions gpu;  // for any other provider
  InputShape shape;     // for TensorRT
};

// One loaded model. Run may be called by several threads at once.
class Session {
 public:
  // Throws Error: kNotFound when the file is missing, kModel when ONNX Runtime refuses it or the
  // provider.
  Session(const OrtLibrary& library, const SessionOptions& options);

  const std::vector<TensorSpec>& inputs() const { return inputs_; }
  const std::vector<TensorSpec>& outputs() const { return outputs_; }
  const OrtLibrary& library() const { return *library_; }

  // Memory for input. On a GPU it is page-locked, so that it is copied from without a detour.
  std::shared_ptr<float> AllocateInput(size_t floats) const;
  // A tensor over memory that the caller keeps: `data` must outlive it.
  OrtTensor WrapFloats(float* data, const std::vector<int64_t>& dims) const;
  OrtTensor WrapIntegers(int64_t* data, const std::vector<int64_t>& dims) const;
  // Shape and element type of a tensor that a Run has made.
  TensorSpec Inspect(const OrtValue* value) const;
  void* Data(OrtValue* value) const;

  // Runs the model on its only input. `values[i]` is output `names[i]`: written to where it is set,
  // allocated where it is null. Throws Error.
  void Run(const OrtValue* input, const std::vector<const char*>& names, OrtValue** values) const;

 private:
  TensorSpec ReadSpec(bool input, size_t index) const;

  const OrtLibrary* library_;
  std::string model_path_;
  Provider provider_;
  int gpu_id_;
  OrtOwned<OrtSession> session_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
};

// "float32", "uint8", ... for messages.
std::string ElementName(int element);

}  // namespace sightline
