#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/infer/session.h"

namespace sightline {

struct EngineOptions {
  std::string library_path;  // ONNX Runtime; empty: the system's
  std::string model_path;
  int intra_op_threads = 1;
  int batch_size = 1;  // largest number of pictures in one Run
  // How long the first picture of a batch waits for more, when others may come; microseconds.
  int batch_wait_us = 500;
  // Network input where the model leaves dimensions open; 0: the model must state them.
  int channels = 0;
  int height = 0;
  int width = 0;
  bool channels_last = false;             // NHWC instead of NCHW
  std::vector<std::string> output_names;  // empty: every output of the model
  ProviderOptions provider;
};

class Engine;

// One element's place in an engine: the picture's input tensor and its outputs, allocated once.
class InferRequest {
 public:
  // Where the picture goes: channels * height * width floats.
  float* input() { return input_.data(); }
  // The outputs of the last Run, valid until the next one.
  const std::vector<TensorView>& outputs() const { return outputs_; }
  // Pictures that shared the last Run with this one, itself included.
  int batched_with() const { return batched_with_; }

  ~InferRequest();

 private:
  friend class Engine;
  enum class State { kIdle, kWaiting, kRunning, kDone };

  explicit InferRequest(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}

  std::shared_ptr<Engine> engine_;
  std::vector<float> input_;
  OrtTensor input_tensor_{nullptr, nullptr};
  std::vector<std::vector<char>> storage_;  // outputs' memory where their shape is known
  std::vector<OrtTensor> tensors_;
  std::vector<OrtValue*> values_;
  std::vector<TensorView> outputs_;
  State state_ = State::kIdle;
  // Its state changed, or it may be its turn. One each: waking all that wait for every frame costs
  // more than the frame.
  std::condition_variable changed_;
  // Where in the batch of `leader_` its picture goes; null but while its own thread is to bring it
  // there.
  float* place_ = nullptr;
  InferRequest* leader_ = nullptr;
  size_t missing_ = 0;  // pictures that are not in its batch yet
  std::string failure_;
  int batched_with_ = 0;
};

// A model ready to run, shared by every element of the process that asks for the same file with the
// same options. It lets at most one Run per core (per `intra_op_threads` cores) go on at once, in
// the order of asking. One session serves them all: run from two threads at once it gives as many
// frames as two sessions (36.7 and 36.2 a second at 512x384, medians of bench/infer.ts) and holds
// the weights once. On a GPU three go on at once, some of which copy while another computes; what
// waits meanwhile fills the next batch, and places that nobody fills are computed all the same.
class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // The engine for these options, made when no element holds it. Throws Error when the library or
  // the model cannot be used, before any picture is seen: a trial Run is part of making it.
  static std::shared_ptr<Engine> Acquire(const EngineOptions& options);

  explicit Engine(const EngineOptions& options);

  int channels() const { return channels_; }
  int height() const { return height_; }
  int width() const { return width_; }
  int runs_at_once() const { return permits_; }
  // The outputs' names, types and dimensions for one picture, as the trial Run gave them; no data.
  const std::vector<TensorView>& outputs() const { return specimen_; }
  const OrtLibrary& library() const { return *library_; }
  // What runs the model, and why not what was wanted; empty where it is that.
  Provider provider() const { return provider_; }
  const std::string& fallback_reason() const { return fallback_reason_; }

  std::unique_ptr<InferRequest> CreateRequest();
  // Runs the request's picture, alone or together with others that wait. Blocks. Throws Error.
  void Run(InferRequest& request);
  // Runs several pictures of one caller, as many in one Run as batch_size allows. Blocks. Throws
  // Error.
  void RunAll(const std::vector<InferRequest*>& requests);

 private:
  friend class InferRequest;

  // Memory for one Run on several pictures.
  struct Batch {
    std::shared_ptr<float> input;
    std::vector<std::vector<char>> storage;  // an output; empty where ONNX Runtime allocates
    std::vector<OrtTensor> input_tensors;    // [pictures - 1]
    std::vector<std::vector<OrtTensor>> output_tensors;  // [pictures - 1][output]
    std::vector<OrtValue*> values;                       // of the Run under way
  };

  void Open();
  void Load(Provider provider);
  InputShape Shape() const;
  void CheckInput();
  void ChooseOutputs();
  void TryRun();
  std::vector<int64_t> InputDims(int64_t batch) const;
  std::vector<int64_t> OutputDims(size_t index, int64_t batch) const;
  OrtTensor WrapOutput(size_t index, void* data, int64_t batch) const;
  std::unique_ptr<Batch> MakeBatch() const;
  std::unique_ptr<Batch> TakeBatchBuffers();
  void WakeNext();
  std::string RunLocked(std::unique_lock<std::mutex>& lock, InferRequest** requests, size_t count,
                        bool own_threads);
  size_t CollectBatch(std::unique_lock<std::mutex>& lock, InferRequest** batch);
  void RunAlone(InferRequest& request) const;
  void FillFrom(InferRequest** requests, size_t count, float* input);
  void RunTogether(InferRequest** requests, size_t count, bool own_threads);
  void Detach();

  EngineOptions options_;
  const OrtLibrary* library_;
  std::unique_ptr<Session> session_;
  Provider provider_ = Provider::kCpu;
  std::string fallback_reason_;
  int channels_ = 0;
  int height_ = 0;
  int width_ = 0;
  // Pictures of every Run; 0: any number. A GPU prepares for a shape, which takes it longer than
  // many Runs, and is given no other.
  int64_t fixed_batch_ = 0;
  std::vector<const char*> output_names_;
  std::vector<size_t> output_indices_;  // into the session's outputs
  std::vector<bool> output_static_;     // its shape is known before a Run
  std::vector<TensorView> specimen_;
  int permits_ = 1;

  std::mutex mutex_;
  std::condition_variable arrived_;  // for who collects a batch
  std::condition_variable freed_;    // for RunAll
  std::deque<InferRequest*> waiting_;
  std::vector<std::unique_ptr<Batch>> spare_batches_;
  int running_ = 0;
  int clients_ = 0;
  bool collecting_ = false;  // a leader waits for its batch to fill
};

}  // namespace sightline
