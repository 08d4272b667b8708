#include "camera/loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <utility>

namespace sightline::camera {
namespace {

constexpr std::int64_t kMillisecond = 1'000'000;

void Control(int epoll, int operation, int fd, std::uint32_t events) {
  epoll_event event = {};
  event.events = events;
  event.data.fd = fd;
  if (epoll_ctl(epoll, operation, fd, &event) != 0) throw std::runtime_error("epoll_ctl failed");
}

}  // namespace

Loop::Loop() : epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::runtime_error("Cannot make an epoll descriptor");
}

Loop::~Loop() { close(epoll_); }

std::int64_t Loop::Now() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

void Loop::Watch(int fd, std::uint32_t events, Handler handler) {
  handlers_[fd] = std::make_shared<Handler>(std::move(handler));
  Control(epoll_, EPOLL_CTL_ADD, fd, events);
}

void Loop::Change(int fd, std::uint32_t events) { Control(epoll_, EPOLL_CTL_MOD, fd, events); }

void Loop::Forget(int fd) {
  handlers_.erase(fd);
  Control(epoll_, EPOLL_CTL_DEL, fd, 0);
}

void Loop::At(std::int64_t when, std::function<void()> task) {
  timers_.push({when, order_++, std::move(task)});
}

/** Runs what is due; then ms until the next, rounded up, or -1. */
int Loop::UntilNextTimer() {
  while (!timers_.empty()) {
    const std::int64_t wait = timers_.top().when - Now();
    if (wait > 0) return static_cast<int>((wait + kMillisecond - 1) / kMillisecond);
    auto task = std::move(const_cast<Timer&>(timers_.top()).task);
    timers_.pop();
    task();
  }
  return -1;
}

void Loop::Run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), UntilNextTimer());
    if (count < 0 && errno != EINTR) throw std::runtime_error("epoll_wait failed");
    for (int index = 0; index < count; ++index) {
      const auto found = handlers_.find(events[static_cast<std::size_t>(index)].data.fd);
      if (found == handlers_.end()) continue;
      // A handler may forget itself.
      const std::shared_ptr<Handler> handler = found->second;
      (*handler)(events[static_cast<std::size_t>(index)].events);
    }
  }
}

}  // namespace sightline::camera
