#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "addon/record_sink.h"

namespace sightline::addon {

// What waits for JavaScript: events (JSON text) and, where outputs go to JavaScript, records. Any
// thread adds; the JavaScript thread takes everything at once. At most one wake-up is outstanding,
// so a busy JavaScript thread gets one large batch instead of many calls.
class EventQueue : public RecordSink {
 public:
  struct Limits {
    size_t max_records = 1024;
    size_t max_record_bytes = 32 * 1024 * 1024;
    // Bound of the events that may be dropped; the others are few by nature.
    size_t max_events = 512;
  };
  struct Batch {
    std::vector<std::string> events;
    std::vector<Record> records;
  };

  explicit EventQueue(Limits limits) : limits_(limits) {}

  // `wake` is called with the queue locked, never after Close(). It must not block or re-enter.
  void SetWake(std::function<void()> wake);
  // An event that must arrive.
  void Push(std::string event);
  // An event of which there can be floods: dropped and counted when too many wait.
  void PushDroppable(std::string event);
  bool Offer(Record record) override;
  Batch Take();
  // Drops what waits; nothing is taken from now on.
  void Close();
  uint64_t dropped_events() const;

 private:
  void WakeLocked();

  const Limits limits_;
  mutable std::mutex mutex_;
  std::function<void()> wake_;
  Batch waiting_;
  size_t waiting_bytes_ = 0;
  uint64_t dropped_events_ = 0;
  bool wake_pending_ = false;
  bool closed_ = false;
};

}  // namespace sightline::addon
