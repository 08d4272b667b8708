#include "core/infer/session.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace sightline {
namespace {

OrtOwned<OrtSession> NoSession() {
  return {nullptr, [](OrtSession*) {}};
}

void RequireReadableFile(const std::string& path) {
  struct stat info = {};
  if (stat(path.c_str(), &info) != 0) {
    throw Error(ErrorKind::kNotFound, "Cannot open the model " + path + ": " +
                                          std::strerror(errno) +
                                          "; give the path of an ONNX file in onnx-file");
  }
  if (!S_ISREG(info.st_mode)) {
    throw Error(ErrorKind::kNotFound, "The model " + path + " is not a file; give the path of an " +
                                          "ONNX file in onnx-file");
  }
}

}  // namespace

std::string ElementName(int element) {
  static const char* const kNames[] = {"undefined", "float32", "uint8",  "int8",   "uint16",
                                       "int16",     "int32",   "int64",  "string", "bool",
                                       "float16",   "float64", "uint32", "uint64"};
  const bool known = element >= 0 && element < static_cast<int>(std::size(kNames));
  return known ? kNames[element] : "element type " + std::to_string(element);
}

Session::Session(const OrtLibrary& library, const SessionOptions& options)
    : library_(&library),
      model_path_(options.model_path),
      provider_(options.provider),
      gpu_id_(options.gpu.gpu_id),
      session_(NoSession()) {
  RequireReadableFile(model_path_);
  const OrtApi& api = library.api();
  OrtSessionOptions* raw_options = nullptr;
  library.Check(api.CreateSessionOptions(&raw_options), "make session options");
  const OrtOwned<OrtSessionOptions> owned_options(raw_options, api.ReleaseSessionOptions);
  // Only "all" switches on the blocked convolution layout: lower levels run at half the speed.
  library.Check(api.SetSessionGraphOptimizationLevel(raw_options, kOrtOptimizeAll),
                "set the optimisation level");
  library.Check(api.SetIntraOpNumThreads(raw_options, options.intra_op_threads), "set the threads");
  library.Check(api.SetInterOpNumThreads(raw_options, 1), "set the threads");
  // Threads that spin between operators take the decoders' core away.
  library.Check(api.AddSessionConfigEntry(raw_options, "session.intra_op.allow_spinning", "0"),
                "switch spinning off");
  AppendProvider(library, raw_options, options.provider, options.gpu, options.shape);

  OrtSession* raw_session = nullptr;
  library.Check(api.CreateSession(library.env(), model_path_.c_str(), raw_options, &raw_session),
                "load the model " + model_path_ + " (truncated, damaged or not an ONNX file?)");
  session_ = OrtOwned<OrtSession>(raw_session, api.ReleaseSession);

  size_t count = 0;
  library.Check(api.SessionGetInputCount(raw_session, &count), "count the model's inputs");
  for (size_t i = 0; i < count; ++i) inputs_.push_back(ReadSpec(true, i));
  library.Check(api.SessionGetOutputCount(raw_session, &count), "count the model's outputs");
  for (size_t i = 0; i < count; ++i) outputs_.push_back(ReadSpec(false, i));
}

static TensorSpec ReadShape(const OrtLibrary& library, const OrtTensorTypeAndShapeInfo* shape) {
  const OrtApi& api = library.api();
  TensorSpec spec;
  size_t rank = 0;
  library.Check(api.GetTensorElementType(shape, &spec.element), "read a tensor's type");
  library.Check(api.GetDimensionsCount(shape, &rank), "read a tensor's rank");
  spec.dims.resize(rank);
  library.Check(api.GetDimensions(shape, spec.dims.data(), rank), "read a tensor's shape");
  return spec;
}

TensorSpec Session::ReadSpec(bool input, size_t index) const {
  const OrtApi& api = library_->api();
  OrtTypeInfo* raw_type = nullptr;
  library_->Check(input ? api.SessionGetInputTypeInfo(session_.get(), index, &raw_type)
                        : api.SessionGetOutputTypeInfo(session_.get(), index, &raw_type),
                  "read the model's signature");
  const OrtOwned<OrtTypeInfo> type(raw_type, api.ReleaseTypeInfo);
  const OrtTensorTypeAndShapeInfo* shape = nullptr;
  library_->Check(api.CastTypeInfoToTensorInfo(raw_type, &shape), "read the model's signature");
  TensorSpec spec;
  if (shape != nullptr) spec = ReadShape(*library_, shape);  // otherwise not a tensor: element 0

  OrtAllocator* allocator = nullptr;
  library_->Check(api.GetAllocatorWithDefaultOptions(&allocator), "get an allocator");
  char* name = nullptr;
  library_->Check(input ? api.SessionGetInputName(session_.get(), index, allocator, &name)
                        : api.SessionGetOutputName(session_.get(), index, allocator, &name),
                  "read the model's signature");
  spec.name = name;
  library_->Check(api.AllocatorFree(allocator, name), "free a name");
  return spec;
}

static OrtTensor Wrap(const OrtLibrary& library, void* data, size_t element_size, int element,
                      const std::vector<int64_t>& dims) {
  OrtValue* value = nullptr;
  library.Check(library.api().CreateTensorWithDataAsOrtValue(
                    library.memory(), data, CountElements(dims) * element_size, dims.data(),
                    dims.size(), element, &value),
                "make a tensor");
  return OrtTensor(value, library.api().ReleaseValue);
}

std::shared_ptr<float> Session::AllocateInput(size_t floats) const {
  if (provider_ == Provider::kCpu) {
    return std::shared_ptr<float>(new float[floats](), std::default_delete<float[]>());
  }
  const OrtApi& api = library_->api();
  OrtMemoryInfo* raw_memory = nullptr;
  library_->Check(api.CreateMemoryInfo("CudaPinned", kOrtDeviceAllocator, gpu_id_,
                                       kOrtMemoryCpuOutput, &raw_memory),
                  "describe page-locked memory");
  const OrtOwned<OrtMemoryInfo> memory(raw_memory, api.ReleaseMemoryInfo);
  OrtAllocator* raw_allocator = nullptr;
  library_->Check(api.CreateAllocator(session_.get(), raw_memory, &raw_allocator),
                  "get page-locked memory");
  const std::shared_ptr<OrtAllocator> allocator(raw_allocator, api.ReleaseAllocator);
  void* data = nullptr;
  library_->Check(api.AllocatorAlloc(raw_allocator, floats * sizeof(float), &data),
                  "get page-locked memory");
  auto free = api.AllocatorFree;
  return std::shared_ptr<float>(static_cast<float*>(data), [allocator, free](float* floats) {
    free(allocator.get(), floats);
  });
}

OrtTensor Session::WrapFloats(float* data, const std::vector<int64_t>& dims) const {
  return Wrap(*library_, data, sizeof(float), kOrtElementFloat, dims);
}

OrtTensor Session::WrapIntegers(int64_t* data, const std::vector<int64_t>& dims) const {
  return Wrap(*library_, data, sizeof(int64_t), kOrtElementInt64, dims);
}

TensorSpec Session::Inspect(const OrtValue* value) const {
  OrtTensorTypeAndShapeInfo* raw_shape = nullptr;
  library_->Check(library_->api().GetTensorTypeAndShape(value, &raw_shape),
                  "read an output's shape");
  const OrtOwned<OrtTensorTypeAndShapeInfo> shape(raw_shape,
                                                  library_->api().ReleaseTensorTypeAndShapeInfo);
  return ReadShape(*library_, raw_shape);
}

void* Session::Data(OrtValue* value) const {
  void* data = nullptr;
  library_->Check(library_->api().GetTensorMutableData(value, &data), "read an output");
  return data;
}

void Session::Run(const OrtValue* input, const std::vector<const char*>& names,
                  OrtValue** values) const {
  const char* input_name = inputs_[0].name.c_str();
  OrtStatus* status = library_->api().Run(session_.get(), nullptr, &input_name, &input, 1,
                                          names.data(), names.size(), values);
  if (status != nullptr) library_->Check(status, "run the model " + model_path_);
}

}  // namespace sightline
