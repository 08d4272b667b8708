#include "plugin/record_intake.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "plugin/metadata_filter.h"

namespace {

// The thread looks after this many fragments' time by itself, for pictures that no other ones
// follow.
constexpr guint64 kPatience = 2;
constexpr auto kLeastPatience = std::chrono::milliseconds(500);

guint64 BytesOf(GstMiniObject* object) {
  return GST_IS_BUFFER(object) ? gst_buffer_get_size(GST_BUFFER_CAST(object)) : 0;
}

GstClockTime TimeOf(const SlRecordIntake::Item& item) {
  return GST_IS_BUFFER(item.object) ? GST_BUFFER_PTS(item.object) : GST_CLOCK_TIME_NONE;
}

}  // namespace

void SlRecordIntake::Start(const Limits& limits, Take take) {
  Stop();
  limits_ = limits;
  take_ = std::move(take);
  // A key frame always ends what is handed over: wherever a fragment begins, all of it comes at
  // once.
  span_.emplace(limits.together_ns, 0);
  ready_ = ending_ = false;
  thread_ = std::thread([this] { Run(); });
  pthread_setname_np(thread_.native_handle(), "slrecord");
}

bool SlRecordIntake::Push(GstBuffer* buffer) {
  std::unique_lock lock(mutex_);
  room_changed_.wait(lock, [this] { return refusing_ || HasRoom(); });
  if (refusing_) return false;
  const GstClockTime pts = GST_BUFFER_PTS(buffer);
  const bool key_frame = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (GST_CLOCK_TIME_IS_VALID(pts)) {
    if (span_->EndsBefore(pts, key_frame)) {
      ready_ = true;
      span_->Clear();
    }
    span_->Add(pts);
  }
  Put(GST_MINI_OBJECT_CAST(buffer), gst_buffer_get_size(buffer));
  // Long before there is no room.
  if (limits_.together_ns == 0 || bytes_ > limits_.most_bytes / 4) ready_ = true;
  if (ready_) ready_changed_.notify_one();
  return true;
}

void SlRecordIntake::Push(GstEvent* event) {
  const std::lock_guard lock(mutex_);
  Put(GST_MINI_OBJECT_CAST(event), 0);
  ready_ = true;
  ready_changed_.notify_one();
}

void SlRecordIntake::Put(GstMiniObject* object, guint64 bytes) {
  items_.push_back({object, SlUnixNs()});
  bytes_ += bytes;
}

bool SlRecordIntake::HasRoom() const {
  if (items_.empty()) return true;
  if (bytes_ >= limits_.most_bytes) return false;
  const GstClockTime oldest = TimeOf(items_.front());
  const GstClockTime newest = TimeOf(items_.back());
  const bool timed = GST_CLOCK_TIME_IS_VALID(oldest) && GST_CLOCK_TIME_IS_VALID(newest);
  return !timed || newest < oldest || newest - oldest < limits_.most_ns;
}

void SlRecordIntake::Refuse(bool refuse) {
  const std::lock_guard lock(mutex_);
  refusing_ = refuse;
  room_changed_.notify_all();
}

void SlRecordIntake::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    ready_changed_.notify_one();
  }
  thread_.join();
}

void SlRecordIntake::Run() {
  const auto patience = std::max<std::chrono::nanoseconds>(
      kLeastPatience, std::chrono::nanoseconds(kPatience * limits_.together_ns));
  std::unique_lock lock(mutex_);
  while (!ending_ || !items_.empty()) {
    ready_changed_.wait_for(lock, patience, [this] { return ready_ || ending_; });
    ready_ = false;
    while (!items_.empty()) {
      const Item item = items_.front();
      items_.pop_front();
      const guint64 bytes = BytesOf(item.object);
      lock.unlock();
      take_(item);
      lock.lock();
      bytes_ -= bytes;
      room_changed_.notify_one();
    }
  }
}
