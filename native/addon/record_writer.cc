#include "addon/record_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>

#include "addon/json.h"

namespace sightline::addon {
namespace {

constexpr size_t kMaxRecords = 8192;
constexpr size_t kMaxBytes = 32 * 1024 * 1024;
// src/worker/protocol.ts: MAX_DATA_RECORD_BYTES.
constexpr size_t kMaxRecordBytes = 32 * 1024 * 1024;
constexpr size_t kBatchRecords = 256;
constexpr size_t kBatchBytes = 256 * 1024;
// Writes are at least this far apart, unless a whole batch waits. Waking the reader costs far more
// than the record: at 30 frames a second every third frame wakes it, for 40 ms of latency on
// average.
constexpr std::chrono::milliseconds kPace{80};

using Header = std::array<uint8_t, 8>;

void PutU32(uint8_t* to, uint32_t value) {
  for (int i = 0; i < 4; i++) to[i] = static_cast<uint8_t>(value >> (8 * i));
}

struct Registry {
  std::mutex mutex;
  std::map<int, std::shared_ptr<RecordWriter>> writers;
};

// Never destroyed: a writer thread can outlive main().
Registry& Writers() {
  static auto* registry = new Registry;
  return *registry;
}

// Takes `count` bytes off the front of `parts[first...]`; returns the new first.
size_t Advance(std::vector<iovec>* parts, size_t first, size_t count) {
  while (count > 0) {
    iovec& part = (*parts)[first];
    const size_t step = std::min(count, part.iov_len);
    part.iov_base = static_cast<uint8_t*>(part.iov_base) + step;
    part.iov_len -= step;
    count -= step;
    if (part.iov_len == 0) first++;
  }
  while (first < parts->size() && (*parts)[first].iov_len == 0) first++;
  return first;
}

}  // namespace

std::shared_ptr<RecordWriter> RecordWriter::For(int fd) {
  const std::lock_guard<std::mutex> lock(Writers().mutex);
  auto& writer = Writers().writers[fd];
  if (writer == nullptr) writer = std::make_shared<RecordWriter>(fd);
  return writer;
}

void RecordWriter::Forget(int fd) {
  std::shared_ptr<RecordWriter> forgotten;  // its thread is joined after the lock
  const std::lock_guard<std::mutex> lock(Writers().mutex);
  const auto found = Writers().writers.find(fd);
  if (found == Writers().writers.end()) return;
  forgotten = std::move(found->second);
  Writers().writers.erase(found);
}

RecordWriter::Stats RecordWriter::StatsFor(int fd) {
  const std::lock_guard<std::mutex> lock(Writers().mutex);
  const auto found = Writers().writers.find(fd);
  return found == Writers().writers.end() ? Stats{} : found->second->stats();
}

RecordWriter::RecordWriter(int fd) : fd_(fd), wake_fd_(eventfd(0, EFD_CLOEXEC)) {
  // A blocking descriptor could hold the thread for ever in one write.
  const int flags = fcntl(fd_, F_GETFL);
  if (flags < 0 || fcntl(fd_, F_SETFL, flags | O_NONBLOCK) < 0) stats_.error = errno;
  thread_ = std::thread([this] { Run(); });
}

RecordWriter::~RecordWriter() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    quit_ = true;
  }
  filled_.notify_one();
  eventfd_write(wake_fd_, 1);
  thread_.join();
  close(wake_fd_);
}

bool RecordWriter::Offer(Record record) {
  if (record.size() > kMaxRecordBytes) return false;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (stats_.error != 0 || stats_.pending >= kMaxRecords) return false;
  // One record larger than the whole bound still passes when nothing else waits.
  if (stats_.pending > 0 && stats_.pending_bytes + record.size() > kMaxBytes) return false;
  stats_.pending++;
  stats_.pending_bytes += record.size();
  queue_.push_back(std::move(record));
  if (idle_ || BatchFullLocked()) filled_.notify_one();
  return true;
}

void RecordWriter::AddListener(const std::shared_ptr<EventQueue>& events) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto gone = [](const std::weak_ptr<EventQueue>& it) { return it.expired(); };
  listeners_.erase(std::remove_if(listeners_.begin(), listeners_.end(), gone), listeners_.end());
  listeners_.push_back(events);
  if (stats_.error != 0) events->Push(StoppedEvent());
}

RecordWriter::Stats RecordWriter::stats() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return stats_;
}

void RecordWriter::Run() {
  pthread_setname_np(pthread_self(), "sl-writer");
  for (;;) {
    const auto batch = NextBatch();
    if (batch.empty() || !Write(batch)) return;
    size_t bytes = 0;
    for (const auto& record : batch) bytes += record.size();
    const std::lock_guard<std::mutex> lock(mutex_);
    stats_.written += batch.size();
    stats_.written_bytes += bytes;
    stats_.pending -= batch.size();
    stats_.pending_bytes -= bytes;
  }
}

bool RecordWriter::BatchFullLocked() const {
  return stats_.pending >= kBatchRecords || stats_.pending_bytes >= kBatchBytes;
}

std::vector<Record> RecordWriter::NextBatch() {
  std::vector<Record> batch;
  std::unique_lock<std::mutex> lock(mutex_);
  idle_ = true;
  filled_.wait(lock, [this] { return EndedLocked() || !queue_.empty(); });
  idle_ = false;
  filled_.wait_until(lock, last_batch_ + kPace,
                     [this] { return EndedLocked() || BatchFullLocked(); });
  last_batch_ = std::chrono::steady_clock::now();
  while (!EndedLocked() && !queue_.empty() && batch.size() < kBatchRecords) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

bool RecordWriter::Write(const std::vector<Record>& batch) {
  std::vector<Header> headers(batch.size());
  std::vector<iovec> parts;
  for (size_t i = 0; i < batch.size(); i++) {
    PutU32(headers[i].data(), static_cast<uint32_t>(batch[i].size()));
    PutU32(headers[i].data() + 4, batch[i].kind());
    parts.push_back({headers[i].data(), headers[i].size()});
    parts.push_back({const_cast<uint8_t*>(batch[i].data()), batch[i].size()});
  }
  for (size_t first = 0; first < parts.size();) {
    const ssize_t count = writev(fd_, parts.data() + first, static_cast<int>(parts.size() - first));
    if (count >= 0) {
      first = Advance(&parts, first, static_cast<size_t>(count));
    } else if (errno == EAGAIN) {
      if (!WaitWritable()) return false;
    } else if (errno != EINTR) {
      Stop(errno);
      return false;
    }
  }
  return true;
}

bool RecordWriter::WaitWritable() {
  pollfd watched[] = {{fd_, POLLOUT, 0}, {wake_fd_, POLLIN, 0}};
  while (poll(watched, 2, -1) < 0) {
    if (errno == EINTR) continue;
    Stop(errno);
    return false;
  }
  return watched[1].revents == 0;
}

void RecordWriter::Stop(int error) {
  std::deque<Record> dropped;  // freed after the lock
  const std::lock_guard<std::mutex> lock(mutex_);
  stats_.error = error;
  std::swap(dropped, queue_);
  for (const auto& listener : listeners_) {
    if (const auto events = listener.lock()) events->Push(StoppedEvent());
  }
}

std::string RecordWriter::StoppedEvent() const {
  JsonWriter json;
  json.BeginObject().Key("type").String("writer-stopped");
  json.Key("fd").Int(fd_).Key("error").Int(stats_.error);
  json.Key("message").String(std::strerror(stats_.error)).EndObject();
  return json.Take();
}

}  // namespace sightline::addon
