#include "addon/event_queue.h"

#include <utility>

namespace sightline::addon {

void EventQueue::SetWake(std::function<void()> wake) {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_ = std::move(wake);
}

void EventQueue::Push(std::string event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  waiting_.events.push_back(std::move(event));
  WakeLocked();
}

void EventQueue::PushDroppable(std::string event) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  if (waiting_.events.size() >= limits_.max_events) {
    dropped_events_++;
    return;
  }
  waiting_.events.push_back(std::move(event));
  WakeLocked();
}

bool EventQueue::Offer(Record record) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || waiting_.records.size() >= limits_.max_records ||
      waiting_bytes_ + record.size() > limits_.max_record_bytes) {
    return false;
  }
  waiting_bytes_ += record.size();
  waiting_.records.push_back(std::move(record));
  WakeLocked();
  return true;
}

EventQueue::Batch EventQueue::Take() {
  const std::lock_guard<std::mutex> lock(mutex_);
  wake_pending_ = false;
  waiting_bytes_ = 0;
  return std::exchange(waiting_, Batch{});
}

void EventQueue::Close() {
  Batch dropped;  // released after the lock: freeing buffers can call into their pools
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  wake_ = nullptr;
  std::swap(dropped, waiting_);
}

uint64_t EventQueue::dropped_events() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return dropped_events_;
}

void EventQueue::WakeLocked() {
  if (wake_pending_ || !wake_) return;
  wake_pending_ = true;
  wake_();
}

}  // namespace sightline::addon
