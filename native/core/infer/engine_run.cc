// How pictures wait, run and share a Run; how an engine is made is in engine.cc.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/error.h"
#include "core/infer/engine.h"

namespace sightline {

static size_t ElementSize(ElementType type) {
  return type == ElementType::kFloat32 ? sizeof(float) : sizeof(int64_t);
}

InferRequest::~InferRequest() { engine_->Detach(); }

std::unique_ptr<InferRequest> Engine::CreateRequest() {
  std::unique_ptr<InferRequest> request(new InferRequest(shared_from_this()));
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ++clients_;
  }
  request->input_.resize(CountElements(InputDims(1)));
  request->outputs_ = specimen_;
  if (fixed_batch_ <= 1) {
    request->input_tensor_ = session_->WrapFloats(request->input(), InputDims(1));
  }
  for (size_t i = 0; i < specimen_.size(); ++i) {
    const size_t bytes = CountElements(specimen_[i].dims) * ElementSize(specimen_[i].type);
    request->storage_.emplace_back(output_static_[i] ? bytes : 0);
    request->tensors_.emplace_back(nullptr, library_->api().ReleaseValue);
    if (output_static_[i]) {
      request->outputs_[i].data = request->storage_[i].data();
      request->tensors_[i] = WrapOutput(i, request->storage_[i].data(), 1);
    }
  }
  request->values_.resize(specimen_.size());
  return request;
}

void Engine::Detach() {
  std::lock_guard<std::mutex> lock(mutex_);
  --clients_;
  arrived_.notify_one();
}

// To be called, under the lock, wherever it may have become the turn of the first that waits.
void Engine::WakeNext() {
  if (!waiting_.empty()) waiting_.front()->changed_.notify_one();
}

void Engine::Run(InferRequest& request) {
  constexpr size_t kMostPictures = 1024;
  InferRequest* batch[kMostPictures];
  std::unique_lock<std::mutex> lock(mutex_);
  request.state_ = InferRequest::State::kWaiting;
  request.failure_.clear();
  waiting_.push_back(&request);
  arrived_.notify_one();
  for (;;) {
    request.changed_.wait(lock, [&] {
      return request.state_ == InferRequest::State::kDone || request.place_ != nullptr ||
             (running_ < permits_ && !collecting_ && !waiting_.empty() &&
              waiting_.front() == &request);
    });
    if (request.place_ == nullptr) break;
    float* place = std::exchange(request.place_, nullptr);
    lock.unlock();
    std::copy(request.input_.begin(), request.input_.end(), place);
    lock.lock();
    if (--request.leader_->missing_ == 0) request.leader_->changed_.notify_one();
  }
  if (request.state_ != InferRequest::State::kDone) {
    const size_t count = CollectBatch(lock, batch);
    const std::string failure = RunLocked(lock, batch, count, true);
    for (size_t i = 0; i < count; ++i) {
      batch[i]->failure_ = failure;
      batch[i]->state_ = InferRequest::State::kDone;
      batch[i]->changed_.notify_one();
    }
  }
  request.state_ = InferRequest::State::kIdle;
  if (!request.failure_.empty()) throw Error(ErrorKind::kFailed, request.failure_);
}

void Engine::RunAll(const std::vector<InferRequest*>& requests) {
  const size_t most = static_cast<size_t>(std::max(1, options_.batch_size));
  std::vector<InferRequest*> group;
  for (size_t from = 0; from < requests.size(); from += group.size()) {
    group.assign(
        requests.begin() + static_cast<std::ptrdiff_t>(from),
        requests.begin() + static_cast<std::ptrdiff_t>(std::min(from + most, requests.size())));
    std::unique_lock<std::mutex> lock(mutex_);
    freed_.wait(lock, [&] { return running_ < permits_; });
    const std::string failure = RunLocked(lock, group.data(), group.size(), false);
    if (!failure.empty()) throw Error(ErrorKind::kFailed, failure);
  }
}

// One Run, without the lock while it goes on. `own_threads`: all but the first request have a
// thread that waits in Run. Gives what went wrong; empty when nothing did.
std::string Engine::RunLocked(std::unique_lock<std::mutex>& lock, InferRequest** requests,
                              size_t count, bool own_threads) {
  ++running_;
  if (running_ < permits_) WakeNext();
  lock.unlock();
  std::string failure;
  try {
    if (count == 1 && fixed_batch_ <= 1) {
      RunAlone(*requests[0]);
    } else {
      RunTogether(requests, count, own_threads);
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  lock.lock();
  --running_;
  for (size_t i = 0; i < count; ++i) requests[i]->batched_with_ = static_cast<int>(count);
  WakeNext();
  freed_.notify_one();
  return failure;
}

// Takes the front of the queue, and what else waits up to the batch size. Waits for more only while
// there are others that could come, and not beyond batch_wait_us.
size_t Engine::CollectBatch(std::unique_lock<std::mutex>& lock, InferRequest** batch) {
  const size_t most = static_cast<size_t>(std::max(1, options_.batch_size));
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options_.batch_wait_us);
  size_t count = 0;
  collecting_ = true;
  for (;;) {
    while (count < most && !waiting_.empty()) {
      waiting_.front()->state_ = InferRequest::State::kRunning;
      batch[count++] = waiting_.front();
      waiting_.pop_front();
    }
    const size_t possible = std::min(most, static_cast<size_t>(std::max(1, clients_)));
    if (count >= possible || arrived_.wait_until(lock, deadline) == std::cv_status::timeout) break;
  }
  collecting_ = false;
  return count;
}

void Engine::RunAlone(InferRequest& request) const {
  for (size_t i = 0; i < request.values_.size(); ++i) {
    if (!output_static_[i]) request.tensors_[i].reset();
    request.values_[i] = request.tensors_[i].get();
  }
  session_->Run(request.input_tensor_.get(), output_names_, request.values_.data());
  for (size_t i = 0; i < request.values_.size(); ++i) {
    if (output_static_[i]) {
      request.outputs_[i].data = request.storage_[i].data();
      continue;
    }
    request.tensors_[i].reset(request.values_[i]);
    const TensorSpec spec = session_->Inspect(request.values_[i]);
    request.outputs_[i].dims.assign(spec.dims.begin() + 1, spec.dims.end());
    request.outputs_[i].data = session_->Data(request.values_[i]);
  }
}

std::unique_ptr<Engine::Batch> Engine::MakeBatch() const {
  auto batch = std::make_unique<Batch>();
  const int64_t most = std::max(1, options_.batch_size);
  batch->input = session_->AllocateInput(CountElements(InputDims(most)));
  for (size_t i = 0; i < specimen_.size(); ++i) {
    const size_t bytes = CountElements(OutputDims(i, most)) * ElementSize(specimen_[i].type);
    batch->storage.emplace_back(output_static_[i] ? bytes : 0);
  }
  for (int64_t pictures = 1; pictures <= most; ++pictures) {
    batch->input_tensors.push_back(session_->WrapFloats(batch->input.get(), InputDims(pictures)));
    std::vector<OrtTensor> outputs;
    for (size_t i = 0; i < specimen_.size(); ++i) {
      outputs.push_back(output_static_[i] ? WrapOutput(i, batch->storage[i].data(), pictures)
                                          : OrtTensor(nullptr, library_->api().ReleaseValue));
    }
    batch->output_tensors.push_back(std::move(outputs));
  }
  return batch;
}

std::unique_ptr<Engine::Batch> Engine::TakeBatchBuffers() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!spare_batches_.empty()) {
      std::unique_ptr<Batch> batch = std::move(spare_batches_.back());
      spare_batches_.pop_back();
      return batch;
    }
  }
  return MakeBatch();
}

// Has the threads that wait for these requests bring their pictures, all at once: one thread alone
// would keep a GPU waiting. The first request is the caller's own.
void Engine::FillFrom(InferRequest** requests, size_t count, float* input) {
  InferRequest& leader = *requests[0];
  const size_t picture = leader.input_.size();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    leader.missing_ = count - 1;
    for (size_t i = 1; i < count; ++i) {
      requests[i]->leader_ = &leader;
      requests[i]->place_ = input + i * picture;
      requests[i]->changed_.notify_one();
    }
  }
  std::copy(leader.input_.begin(), leader.input_.end(), input);
  std::unique_lock<std::mutex> lock(mutex_);
  leader.changed_.wait(lock, [&] { return leader.missing_ == 0; });
}

void Engine::RunTogether(InferRequest** requests, size_t count, bool own_threads) {
  std::unique_ptr<Batch> batch = TakeBatchBuffers();
  if (own_threads) {
    FillFrom(requests, count, batch->input.get());
  } else {
    const size_t picture = requests[0]->input_.size();
    for (size_t i = 0; i < count; ++i) {
      std::copy_n(requests[i]->input(), picture, batch->input.get() + i * picture);
    }
  }
  // A model of a fixed batch also works on the places that nobody filled; nobody reads those.
  const size_t pictures = fixed_batch_ > 0 ? static_cast<size_t>(fixed_batch_) : count;
  std::vector<OrtTensor>& tensors = batch->output_tensors[pictures - 1];
  std::vector<OrtValue*>& values = batch->values;
  values.clear();
  for (const OrtTensor& tensor : tensors) values.push_back(tensor.get());
  session_->Run(batch->input_tensors[pictures - 1].get(), output_names_, values.data());
  for (size_t output = 0; output < values.size(); ++output) {
    OrtTensor allocated(output_static_[output] ? nullptr : values[output],
                        library_->api().ReleaseValue);
    std::vector<int64_t> dims = specimen_[output].dims;
    if (allocated) {
      const TensorSpec spec = session_->Inspect(values[output]);
      dims.assign(spec.dims.begin() + 1, spec.dims.end());
    }
    const char* data = static_cast<const char*>(session_->Data(values[output]));
    const size_t bytes = CountElements(dims) * ElementSize(specimen_[output].type);
    for (size_t i = 0; i < count; ++i) {
      InferRequest& request = *requests[i];
      request.storage_[output].resize(std::max(request.storage_[output].size(), bytes));
      std::memcpy(request.storage_[output].data(), data + i * bytes, bytes);
      request.outputs_[output].dims = dims;
      request.outputs_[output].data = request.storage_[output].data();
    }
  }
  std::lock_guard<std::mutex> lock(mutex_);
  spare_batches_.push_back(std::move(batch));
}

}  // namespace sightline
