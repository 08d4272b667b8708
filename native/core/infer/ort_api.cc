#include "core/infer/ort_api.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

#include "core/error.h"

struct OrtApiBase {
  const void* (*GetApi)(uint32_t version);
  const char* (*GetVersionString)();
};

namespace sightline {
namespace {

OrtLogFunction g_log = nullptr;

void IgnoreLog(void*, int, const char*, const char*, const char*, const char*) {}

// Places in the table; the youngest, those of CUDA's options, are of version 11.
enum Slot : size_t {
  kGetErrorMessage = 2,
  kCreateEnvWithCustomLogger = 4,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetSessionGraphOptimizationLevel = 23,
  kSetIntraOpNumThreads = 24,
  kSetInterOpNumThreads = 25,
  kSessionGetInputCount = 30,
  kSessionGetOutputCount = 31,
  kSessionGetInputTypeInfo = 33,
  kSessionGetOutputTypeInfo = 34,
  kSessionGetInputName = 36,
  kSessionGetOutputName = 37,
  kCreateTensorWithDataAsOrtValue = 49,
  kGetTensorMutableData = 51,
  kCastTypeInfoToTensorInfo = 55,
  kGetTensorElementType = 60,
  kGetDimensionsCount = 61,
  kGetDimensions = 62,
  kGetTensorTypeAndShape = 65,
  kCreateMemoryInfo = 68,
  kCreateCpuMemoryInfo = 69,
  kAllocatorAlloc = 75,
  kAllocatorFree = 76,
  kGetAllocatorWithDefaultOptions = 78,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTypeInfo = 98,
  kReleaseTensorTypeAndShapeInfo = 99,
  kReleaseSessionOptions = 100,
  kGetAvailableProviders = 125,
  kReleaseAvailableProviders = 126,
  kAddSessionConfigEntry = 130,
  kCreateAllocator = 131,
  kReleaseAllocator = 132,
  kAppendTensorRt = 170,
  kCreateTensorRtOptions = 171,
  kUpdateTensorRtOptions = 172,
  kReleaseTensorRtOptions = 174,
  kAppendCuda = 204,
  kCreateCudaOptions = 205,
  kUpdateCudaOptions = 206,
  kReleaseCudaOptions = 208,
};

template <class Function>
void Take(const void* table, Slot slot, Function& out) {
  out = reinterpret_cast<Function>(static_cast<void* const*>(table)[slot]);
}

OrtApi ReadTable(const void* table) {
  OrtApi api = {};
#define SIGHTLINE_TAKE(name) Take(table, k##name, api.name)
  SIGHTLINE_TAKE(GetErrorMessage);
  SIGHTLINE_TAKE(CreateEnvWithCustomLogger);
  SIGHTLINE_TAKE(CreateSession);
  SIGHTLINE_TAKE(Run);
  SIGHTLINE_TAKE(CreateSessionOptions);
  SIGHTLINE_TAKE(SetSessionGraphOptimizationLevel);
  SIGHTLINE_TAKE(SetIntraOpNumThreads);
  SIGHTLINE_TAKE(SetInterOpNumThreads);
  SIGHTLINE_TAKE(SessionGetInputCount);
  SIGHTLINE_TAKE(SessionGetOutputCount);
  SIGHTLINE_TAKE(SessionGetInputTypeInfo);
  SIGHTLINE_TAKE(SessionGetOutputTypeInfo);
  SIGHTLINE_TAKE(SessionGetInputName);
  SIGHTLINE_TAKE(SessionGetOutputName);
  SIGHTLINE_TAKE(CreateTensorWithDataAsOrtValue);
  SIGHTLINE_TAKE(GetTensorMutableData);
  SIGHTLINE_TAKE(CastTypeInfoToTensorInfo);
  SIGHTLINE_TAKE(GetTensorElementType);
  SIGHTLINE_TAKE(GetDimensionsCount);
  SIGHTLINE_TAKE(GetDimensions);
  SIGHTLINE_TAKE(GetTensorTypeAndShape);
  SIGHTLINE_TAKE(CreateCpuMemoryInfo);
  SIGHTLINE_TAKE(AllocatorFree);
  SIGHTLINE_TAKE(GetAllocatorWithDefaultOptions);
  SIGHTLINE_TAKE(ReleaseStatus);
  SIGHTLINE_TAKE(ReleaseSession);
  SIGHTLINE_TAKE(ReleaseValue);
  SIGHTLINE_TAKE(ReleaseTypeInfo);
  SIGHTLINE_TAKE(ReleaseTensorTypeAndShapeInfo);
  SIGHTLINE_TAKE(ReleaseSessionOptions);
  SIGHTLINE_TAKE(GetAvailableProviders);
  SIGHTLINE_TAKE(ReleaseAvailableProviders);
  SIGHTLINE_TAKE(AddSessionConfigEntry);
  SIGHTLINE_TAKE(CreateAllocator);
  SIGHTLINE_TAKE(ReleaseAllocator);
  SIGHTLINE_TAKE(CreateMemoryInfo);
  SIGHTLINE_TAKE(AllocatorAlloc);
  SIGHTLINE_TAKE(ReleaseMemoryInfo);
  SIGHTLINE_TAKE(AppendTensorRt);
  SIGHTLINE_TAKE(CreateTensorRtOptions);
  SIGHTLINE_TAKE(UpdateTensorRtOptions);
  SIGHTLINE_TAKE(ReleaseTensorRtOptions);
  SIGHTLINE_TAKE(AppendCuda);
  SIGHTLINE_TAKE(CreateCudaOptions);
  SIGHTLINE_TAKE(UpdateCudaOptions);
  SIGHTLINE_TAKE(ReleaseCudaOptions);
#undef SIGHTLINE_TAKE
  return api;
}

const char kHowToMend[] =
    "; set the property onnxruntime-library or the environment variable SIGHTLINE_ONNXRUNTIME to "
    "the "
    "libonnxruntime.so.1 of the npm package onnxruntime-node";

}  // namespace

void OrtLibrary::SetLog(OrtLogFunction log) { g_log = log; }

const OrtLibrary& OrtLibrary::Load(const std::string& path) {
  static std::mutex mutex;
  // Never freed: sessions may outlive static destruction.
  static auto* libraries = new std::map<std::string, std::unique_ptr<OrtLibrary>>();
  std::lock_guard<std::mutex> lock(mutex);
  auto& library = (*libraries)[path];
  if (!library) {
    try {
      library.reset(new OrtLibrary(path));
    } catch (...) {
      libraries->erase(path);
      throw;
    }
  }
  return *library;
}

OrtLibrary::OrtLibrary(const std::string& path)
    : path_(path.empty() ? "libonnxruntime.so.1" : path) {
  // Builds of ONNX Runtime since 1.30 report to their maker what they run; whoever wants that sets
  // 0.
  setenv("ORT_DISABLE_TELEMETRY", "1", 0);
  void* handle = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* reason = dlerror();
    throw Error(ErrorKind::kNotFound, "Cannot load ONNX Runtime from " + path_ + ": " +
                                          (reason ? reason : "unknown reason") + kHowToMend);
  }
  auto get_base = reinterpret_cast<const OrtApiBase* (*)()>(dlsym(handle, "OrtGetApiBase"));
  const OrtApiBase* base = get_base != nullptr ? get_base() : nullptr;
  if (base == nullptr) {
    throw Error(ErrorKind::kLibrary,
                path_ + " is not ONNX Runtime: it has no OrtGetApiBase" + std::string(kHowToMend));
  }
  version_ = base->GetVersionString();
  int major = 0, minor = 0;
  // The version is compared before the table is asked for: a library too old for it prints to
  // stderr.
  const bool readable = std::sscanf(version_.c_str(), "%d.%d", &major, &minor) == 2;
  const bool enough = readable && (major > 1 || (major == 1 && minor >= kOrtMinimumMinorVersion));
  const void* table = enough ? base->GetApi(kOrtMinimumMinorVersion) : nullptr;
  if (table == nullptr) {
    throw Error(ErrorKind::kLibrary,
                "ONNX Runtime " + version_ + " in " + path_ + " cannot be used: 1." +
                    std::to_string(kOrtMinimumMinorVersion) + " or newer is needed" + kHowToMend);
  }
  api_ = ReadTable(table);
  Check(api_.CreateEnvWithCustomLogger(g_log != nullptr ? g_log : IgnoreLog, nullptr,
                                       kOrtLogWarning, "sightline", &env_),
        "start ONNX Runtime");
  Check(api_.CreateCpuMemoryInfo(kOrtArenaAllocator, kOrtMemoryDefault, &memory_),
        "describe CPU memory");
}

void OrtLibrary::Check(OrtStatus* status, const std::string& what) const {
  if (status == nullptr) return;
  const std::string text = api_.GetErrorMessage(status);
  api_.ReleaseStatus(status);
  throw Error(ErrorKind::kModel, "ONNX Runtime could not " + what + ": " + text);
}

}  // namespace sightline
