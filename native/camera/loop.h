#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <unordered_map>
#include <vector>

namespace sightline::camera {

/** One thread's events: descriptors and times. Times are CLOCK_MONOTONIC in ns.
 */
class Loop {
 public:
  using Handler = std::function<void(std::uint32_t events)>;

  Loop();
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  static std::int64_t Now();

  /** Calls `handler` with epoll's bits whenever `fd` has any of `events`. */
  void Watch(int fd, std::uint32_t events, Handler handler);
  void Change(int fd, std::uint32_t events);
  void Forget(int fd);
  /** Calls `task` once, up to 1 ms after `when`. */
  void At(std::int64_t when, std::function<void()> task);
  /** Runs for ever. */
  void Run();

 private:
  struct Timer {
    std::int64_t when;
    std::uint64_t order;
    std::function<void()> task;
    bool operator<(const Timer& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };
  int UntilNextTimer();

  int epoll_;
  std::uint64_t order_ = 0;
  std::unordered_map<int, std::shared_ptr<Handler>> handlers_;
  std::priority_queue<Timer> timers_;
};

}  // namespace sightline::camera
