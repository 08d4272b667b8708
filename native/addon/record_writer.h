#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "addon/event_queue.h"
#include "addon/record_sink.h"

namespace sightline::addon {

// Writes records as `u32le length | u32le kind | payload` to a descriptor, on a thread of its own,
// several in one writev. One writer a descriptor serves every pipeline of the process, so records
// never interleave. Every write wakes the reader, which costs more than the write itself, so
// records that come close together share one. When the reader is slow the queue fills and new
// records are refused; when the reader is gone the writer stops for good and says so to every
// pipeline that uses it.
class RecordWriter : public RecordSink {
 public:
  struct Stats {
    uint64_t written = 0;
    uint64_t written_bytes = 0;
    size_t pending = 0;
    size_t pending_bytes = 0;
    int error = 0;  // errno that stopped it, 0 while it runs
  };

  // The process's writer for `fd`, made at the first call. It does not own the descriptor.
  static std::shared_ptr<RecordWriter> For(int fd);
  // Lets go of the writer for `fd`, before the descriptor is closed and its number means another
  // file. What it has not written is dropped; pipelines that still use it keep it for themselves.
  static void Forget(int fd);
  // Statistics of the writer for `fd`; all zero where there is none.
  static Stats StatsFor(int fd);

  explicit RecordWriter(int fd);
  ~RecordWriter() override;

  bool Offer(Record record) override;
  // `events` gets a "writer-stopped" event when the reader is gone, at once if it is already.
  void AddListener(const std::shared_ptr<EventQueue>& events);
  Stats stats() const;

 private:
  void Run();
  // Waits for records and takes some; empty when the writer is to end.
  std::vector<Record> NextBatch();
  bool EndedLocked() const { return quit_ || stats_.error != 0; }
  bool BatchFullLocked() const;
  // False when the descriptor takes no more or the writer is being destroyed.
  bool Write(const std::vector<Record>& batch);
  bool WaitWritable();
  void Stop(int error);
  std::string StoppedEvent() const;

  const int fd_;
  const int wake_fd_;  // readable when the writer is being destroyed
  mutable std::mutex mutex_;
  std::condition_variable filled_;
  std::deque<Record> queue_;
  std::vector<std::weak_ptr<EventQueue>> listeners_;
  Stats stats_;
  bool quit_ = false;
  bool idle_ = false;  // the writer waits for the first record
  std::chrono::steady_clock::time_point last_batch_;
  std::thread thread_;
};

}  // namespace sightline::addon
