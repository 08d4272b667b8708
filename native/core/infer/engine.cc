#include "core/infer/engine.h"

#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "core/error.h"

namespace sightline {
namespace {

constexpr int kRunsAtOnceOnGpu = 3;

// Cores this process may use, which taskset and containers narrow.
int CountCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

// ONNX Runtime's text without the place in its code that it names before, and the line's end.
std::string WithoutPlace(const std::string& text) {
  constexpr char kMark[] = " : FAIL : ";
  const size_t mark = text.rfind(kMark);
  const size_t from = mark == std::string::npos ? 0 : mark + sizeof(kMark) - 1;
  return text.substr(from, text.find_last_not_of(" \n") + 1 - from);
}

// What makes two elements share an engine. A file replaced on disk is another model.
std::string MakeKey(const EngineOptions& options) {
  struct stat info = {};
  stat(options.model_path.c_str(), &info);
  std::ostringstream key;
  key << options.library_path << '\n'
      << info.st_dev << ' ' << info.st_ino << ' ' << info.st_size << ' ' << info.st_mtim.tv_sec
      << '.' << info.st_mtim.tv_nsec << '\n'
      << (info.st_ino == 0 ? options.model_path : "") << '\n'
      << options.intra_op_threads << ' ' << options.batch_size << ' ' << options.batch_wait_us
      << ' ' << options.channels << ' ' << options.height << ' ' << options.width << ' '
      << options.channels_last << ' ' << static_cast<int>(options.provider.wanted) << ' '
      << options.provider.gpu_id << ' ' << options.provider.gpu_required << ' '
      << options.provider.engine_cache;
  for (const std::string& name : options.output_names) key << '\n' << name;
  return key.str();
}

}  // namespace

std::shared_ptr<Engine> Engine::Acquire(const EngineOptions& options) {
  static std::mutex mutex;
  static auto* engines = new std::map<std::string, std::weak_ptr<Engine>>();
  std::lock_guard<std::mutex> lock(mutex);
  for (auto entry = engines->begin(); entry != engines->end();) {
    entry = entry->second.expired() ? engines->erase(entry) : std::next(entry);
  }
  std::weak_ptr<Engine>& known = (*engines)[MakeKey(options)];
  std::shared_ptr<Engine> engine = known.lock();
  if (!engine) known = engine = std::make_shared<Engine>(options);
  return engine;
}

Engine::Engine(const EngineOptions& options)
    : options_(options), library_(&OrtLibrary::Load(options.library_path)) {
  Open();
  permits_ = provider_ == Provider::kCpu
                 ? std::max(1, CountCores() / std::max(1, options.intra_op_threads))
                 : kRunsAtOnceOnGpu;
}

// Whatever a GPU fails with, up to its first Run, is a reason to try what comes next; what is wrong
// with the model itself is an error on every provider.
void Engine::Open() {
  for (const Provider provider : ProvidersToTry(options_.provider)) {
    const auto can = [&](auto&& step) {
      if (provider == Provider::kCpu) {
        step();
        return true;
      }
      try {
        step();
        return true;
      } catch (const Error& error) {
        if (error.kind() != ErrorKind::kModel) throw;
        fallback_reason_ += (fallback_reason_.empty() ? "" : "; ") +
                            std::string(ProviderName(provider)) + ": " + WithoutPlace(error.what());
        return false;
      }
    };
    if (!can([&] { Load(provider); })) continue;
    CheckInput();
    if (provider != Provider::kCpu) fixed_batch_ = std::max(1, options_.batch_size);
    ChooseOutputs();
    if (!can([&] { TryRun(); })) continue;
    provider_ = provider;
    return;
  }
  throw Error(ErrorKind::kNoGpu, "The model " + options_.model_path + " cannot run on GPU " +
                                     std::to_string(options_.provider.gpu_id) +
                                     " with ONNX Runtime " + library_->version() + " in " +
                                     library_->path() + ": " + fallback_reason_);
}

void Engine::Load(Provider provider) {
  output_names_.clear();
  output_indices_.clear();
  output_static_.clear();
  SessionOptions options;
  options.model_path = options_.model_path;
  options.intra_op_threads = options_.intra_op_threads;
  options.provider = provider;
  options.gpu = options_.provider;
  if (provider == Provider::kTensorRt) options.shape = Shape();
  session_ = std::make_unique<Session>(*library_, options);
}

// TensorRT has to know before it loads the model which pictures will come.
InputShape Engine::Shape() const {
  SessionOptions plain;
  plain.model_path = options_.model_path;
  const Session model(*library_, plain);
  if (model.inputs().size() != 1 || model.inputs()[0].dims.size() != 4) return {};
  const TensorSpec& input = model.inputs()[0];
  if (std::all_of(input.dims.begin(), input.dims.end(), [](auto dim) { return dim > 0; }))
    return {};
  const int64_t batch = std::max(1, options_.batch_size);
  const int64_t channels = options_.channels, height = options_.height, width = options_.width;
  InputShape shape{input.name, options_.channels_last
                                   ? std::vector<int64_t>{batch, height, width, channels}
                                   : std::vector<int64_t>{batch, channels, height, width}};
  for (size_t i = 0; i < shape.dims.size(); ++i) {
    if (input.dims[i] > 0) shape.dims[i] = input.dims[i];
  }
  return shape;
}

void Engine::CheckInput() {
  if (session_->inputs().size() != 1) {
    throw Error(ErrorKind::kModel, "The model " + options_.model_path + " has " +
                                       std::to_string(session_->inputs().size()) +
                                       " inputs; only models with one input, the picture, can run");
  }
  const TensorSpec& input = session_->inputs()[0];
  const std::string what = "The model " + options_.model_path + " has the input " + input.name +
                           " " + DescribeDims(input.dims) + " " + ElementName(input.element);
  if (input.element != kOrtElementFloat) {
    throw Error(ErrorKind::kModel, what + "; float32 is needed");
  }
  if (input.dims.size() != 4) {
    throw Error(ErrorKind::kModel, what + "; four dimensions are needed, " +
                                       (options_.channels_last ? "[N,H,W,C]" : "[N,C,H,W]"));
  }
  const size_t c = options_.channels_last ? 3 : 1;
  const size_t h = options_.channels_last ? 1 : 2;
  const auto choose = [&](size_t index, int wanted) {
    const int64_t stated = input.dims[index];
    if (stated < 0 && wanted <= 0) {
      throw Error(ErrorKind::kSettings, what + ": its size is open, so infer-dims must give it");
    }
    if (stated >= 0 && wanted > 0 && stated != wanted) {
      throw Error(ErrorKind::kSettings,
                  what + ", which does not match infer-dims=" + std::to_string(options_.channels) +
                      ";" + std::to_string(options_.height) + ";" + std::to_string(options_.width) +
                      (options_.channels_last ? " in NHWC order" : " in NCHW order"));
    }
    return static_cast<int>(stated >= 0 ? stated : wanted);
  };
  channels_ = choose(c, options_.channels);
  height_ = choose(h, options_.height);
  width_ = choose(h + 1, options_.width);
  if (channels_ != 1 && channels_ != 3) {
    throw Error(ErrorKind::kModel, what + "; a picture has 1 or 3 channels, not " +
                                       std::to_string(channels_) +
                                       " (is network-input-order right?)");
  }
  fixed_batch_ = std::max<int64_t>(0, input.dims[0]);
  if (fixed_batch_ > 0 && fixed_batch_ != options_.batch_size) {
    throw Error(ErrorKind::kSettings, what + ", a fixed batch of " + std::to_string(fixed_batch_) +
                                          ", but batch-size is " +
                                          std::to_string(options_.batch_size) +
                                          "; set batch-size=" + std::to_string(fixed_batch_) +
                                          " or convert the model with an open batch dimension");
  }
}

void Engine::ChooseOutputs() {
  const std::vector<TensorSpec>& outputs = session_->outputs();
  std::vector<std::string> wanted = options_.output_names;
  if (wanted.empty()) {
    for (const TensorSpec& output : outputs) wanted.push_back(output.name);
  }
  for (const std::string& name : wanted) {
    const auto found = std::find_if(outputs.begin(), outputs.end(),
                                    [&](const TensorSpec& output) { return output.name == name; });
    if (found == outputs.end()) {
      std::string names;
      for (const TensorSpec& output : outputs) names += (names.empty() ? "" : ", ") + output.name;
      throw Error(ErrorKind::kSettings, "output-blob-names asks for " + name + ", but the model " +
                                            options_.model_path + " has the outputs " + names);
    }
    if (found->element != kOrtElementFloat && found->element != kOrtElementInt64) {
      throw Error(ErrorKind::kModel, "The model " + options_.model_path + " has the output " +
                                         name + " of " + ElementName(found->element) +
                                         "; only float32 and int64 can be read (choose others with "
                                         "output-blob-names)");
    }
    const size_t index = static_cast<size_t>(found - outputs.begin());
    output_indices_.push_back(index);
    output_names_.push_back(outputs[index].name.c_str());
    const std::vector<int64_t>& dims = found->dims;
    output_static_.push_back(
        !dims.empty() && std::all_of(dims.begin() + 1, dims.end(), [](auto d) { return d > 0; }));
  }
}

std::vector<int64_t> Engine::InputDims(int64_t batch) const {
  if (options_.channels_last) return {batch, height_, width_, channels_};
  return {batch, channels_, height_, width_};
}

std::vector<int64_t> Engine::OutputDims(size_t index, int64_t batch) const {
  std::vector<int64_t> dims = specimen_[index].dims;
  dims.insert(dims.begin(), batch);
  return dims;
}

OrtTensor Engine::WrapOutput(size_t index, void* data, int64_t batch) const {
  if (specimen_[index].type == ElementType::kFloat32) {
    return session_->WrapFloats(static_cast<float*>(data), OutputDims(index, batch));
  }
  return session_->WrapIntegers(static_cast<int64_t*>(data), OutputDims(index, batch));
}

// Runs a black picture, so that what a model does wrong shows before the first frame, and so that
// the shapes of its outputs are known.
void Engine::TryRun() {
  const auto run = [&](int64_t batch) {
    const std::vector<int64_t> dims = InputDims(batch);
    std::vector<float> black(CountElements(dims), 0.0f);
    const OrtTensor input = session_->WrapFloats(black.data(), dims);
    std::vector<OrtValue*> raw(output_names_.size(), nullptr);
    session_->Run(input.get(), output_names_, raw.data());
    std::vector<TensorView> views;
    for (size_t i = 0; i < raw.size(); ++i) {
      const OrtTensor value(raw[i], library_->api().ReleaseValue);
      const TensorSpec spec = session_->Inspect(raw[i]);
      if (spec.dims.empty() || spec.dims[0] != batch) {
        throw Error(
            ErrorKind::kModel,
            "The model " + options_.model_path + " gave the output " + output_names_[i] + " as " +
                DescribeDims(spec.dims) + " for " + std::to_string(batch) +
                " picture(s); its first dimension must be the batch (set batch-size to what "
                "the model takes, or choose other outputs with output-blob-names)");
      }
      TensorView view;
      view.name = output_names_[i];
      view.type = spec.element == kOrtElementInt64 ? ElementType::kInt64 : ElementType::kFloat32;
      view.dims.assign(spec.dims.begin() + 1, spec.dims.end());
      views.push_back(std::move(view));
    }
    return views;
  };
  specimen_ = run(fixed_batch_ > 0 ? fixed_batch_ : 1);
  if (fixed_batch_ == 0 && options_.batch_size > 1) run(options_.batch_size);
}

}  // namespace sightline
