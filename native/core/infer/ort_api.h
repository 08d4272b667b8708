#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

// The part of ONNX Runtime's C interface that Sightline calls, declared here so that no header of
// it is needed to build. The library exports one symbol, OrtGetApiBase; behind it lies a table of
// function pointers that only ever grows at its end, so that a function's place in it is a
// constant.
struct OrtApiBase;
struct OrtEnv;
struct OrtStatus;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtCUDAProviderOptionsV2;
struct OrtTensorRTProviderOptionsV2;

namespace sightline {

// Values of ONNX Runtime's enumerations that are used here.
constexpr int kOrtElementFloat = 1;
constexpr int kOrtElementInt64 = 7;
constexpr int kOrtLogWarning = 2;
constexpr int kOrtOptimizeAll = 99;
constexpr int kOrtArenaAllocator = 1;
constexpr int kOrtMemoryDefault = 0;
constexpr int kOrtDeviceAllocator = 0;
constexpr int kOrtMemoryCpuOutput = -1;

// Receives a line of ONNX Runtime's own log. Severity: 0 verbose, 1 info, 2 warning, 3 error, 4
// fatal.
using OrtLogFunction = void (*)(void* user, int severity, const char* category, const char* log_id,
                                const char* location, const char* message);

struct OrtApi {
  const char* (*GetErrorMessage)(const OrtStatus*);
  OrtStatus* (*CreateEnvWithCustomLogger)(OrtLogFunction, void* user, int severity,
                                          const char* log_id, OrtEnv**);
  OrtStatus* (*CreateSession)(const OrtEnv*, const char* path, const OrtSessionOptions*,
                              OrtSession**);
  OrtStatus* (*Run)(OrtSession*, const OrtRunOptions*, const char* const* input_names,
                    const OrtValue* const* inputs, size_t input_count,
                    const char* const* output_names, size_t output_count, OrtValue** outputs);
  OrtStatus* (*CreateSessionOptions)(OrtSessionOptions**);
  OrtStatus* (*SetSessionGraphOptimizationLevel)(OrtSessionOptions*, int level);
  OrtStatus* (*SetIntraOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SetInterOpNumThreads)(OrtSessionOptions*, int threads);
  OrtStatus* (*SessionGetInputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetOutputCount)(const OrtSession*, size_t*);
  OrtStatus* (*SessionGetInputTypeInfo)(const OrtSession*, size_t, OrtTypeInfo**);
  OrtStatus* (*SessionGetOutputTypeInfo)(const OrtSession*, size_t, OrtTypeInfo**);
  OrtStatus* (*SessionGetInputName)(const OrtSession*, size_t, OrtAllocator*, char**);
  OrtStatus* (*SessionGetOutputName)(const OrtSession*, size_t, OrtAllocator*, char**);
  OrtStatus* (*CreateTensorWithDataAsOrtValue)(const OrtMemoryInfo*, void* data, size_t bytes,
                                               const int64_t* dims, size_t rank, int element,
                                               OrtValue**);
  OrtStatus* (*GetTensorMutableData)(OrtValue*, void**);
  OrtStatus* (*CastTypeInfoToTensorInfo)(const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**);
  OrtStatus* (*GetTensorElementType)(const OrtTensorTypeAndShapeInfo*, int*);
  OrtStatus* (*GetDimensionsCount)(const OrtTensorTypeAndShapeInfo*, size_t*);
  OrtStatus* (*GetDimensions)(const OrtTensorTypeAndShapeInfo*, int64_t*, size_t);
  OrtStatus* (*GetTensorTypeAndShape)(const OrtValue*, OrtTensorTypeAndShapeInfo**);
  OrtStatus* (*CreateCpuMemoryInfo)(int allocator, int memory, OrtMemoryInfo**);
  OrtStatus* (*AllocatorFree)(OrtAllocator*, void*);
  OrtStatus* (*GetAllocatorWithDefaultOptions)(OrtAllocator**);
  void (*ReleaseStatus)(OrtStatus*);
  void (*ReleaseSession)(OrtSession*);
  void (*ReleaseValue)(OrtValue*);
  void (*ReleaseTypeInfo)(OrtTypeInfo*);
  void (*ReleaseTensorTypeAndShapeInfo)(OrtTensorTypeAndShapeInfo*);
  void (*ReleaseSessionOptions)(OrtSessionOptions*);
  OrtStatus* (*AddSessionConfigEntry)(OrtSessionOptions*, const char* key, const char* value);
  OrtStatus* (*GetAvailableProviders)(char*** names, int* count);
  OrtStatus* (*ReleaseAvailableProviders)(char** names, int count);
  OrtStatus* (*CreateMemoryInfo)(const char* name, int allocator, int device, int memory,
                                 OrtMemoryInfo**);
  OrtStatus* (*CreateAllocator)(const OrtSession*, const OrtMemoryInfo*, OrtAllocator**);
  OrtStatus* (*AllocatorAlloc)(OrtAllocator*, size_t bytes, void**);
  void (*ReleaseAllocator)(OrtAllocator*);
  void (*ReleaseMemoryInfo)(OrtMemoryInfo*);
  // SessionOptionsAppendExecutionProvider_TensorRT_V2, CreateTensorRTProviderOptions, ...
  OrtStatus* (*AppendTensorRt)(OrtSessionOptions*, const OrtTensorRTProviderOptionsV2*);
  OrtStatus* (*CreateTensorRtOptions)(OrtTensorRTProviderOptionsV2**);
  OrtStatus* (*UpdateTensorRtOptions)(OrtTensorRTProviderOptionsV2*, const char* const* keys,
                                      const char* const* values, size_t count);
  void (*ReleaseTensorRtOptions)(OrtTensorRTProviderOptionsV2*);
  OrtStatus* (*AppendCuda)(OrtSessionOptions*, const OrtCUDAProviderOptionsV2*);
  OrtStatus* (*CreateCudaOptions)(OrtCUDAProviderOptionsV2**);
  OrtStatus* (*UpdateCudaOptions)(OrtCUDAProviderOptionsV2*, const char* const* keys,
                                  const char* const* values, size_t count);
  void (*ReleaseCudaOptions)(OrtCUDAProviderOptionsV2*);
};

// The oldest ONNX Runtime that is accepted: 1.<this>.
constexpr int kOrtMinimumMinorVersion = 17;

// A loaded library with its one environment. Libraries stay loaded until the process ends: ONNX
// Runtime keeps threads and thread-local state that do not survive an unload.
class OrtLibrary {
 public:
  // Loads `path`, or finds what is already loaded from it. An empty path stands for
  // "libonnxruntime.so.1" in the system's library folders. Throws Error.
  static const OrtLibrary& Load(const std::string& path);
  // Where ONNX Runtime's warnings and errors go; takes effect for libraries loaded afterwards.
  static void SetLog(OrtLogFunction log);

  const OrtApi& api() const { return api_; }
  OrtEnv* env() const { return env_; }
  const OrtMemoryInfo* memory() const { return memory_; }
  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }

  // Throws an Error of kModel with `what` and ONNX Runtime's own text when the status is a failure.
  void Check(OrtStatus* status, const std::string& what) const;

 private:
  explicit OrtLibrary(const std::string& path);

  std::string path_;
  std::string version_;
  OrtApi api_ = {};
  OrtEnv* env_ = nullptr;
  OrtMemoryInfo* memory_ = nullptr;
};

}  // namespace sightline
