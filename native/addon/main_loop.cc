#include "addon/main_loop.h"

#include <pthread.h>

#include <atomic>
#include <future>
#include <mutex>
#include <thread>

namespace sightline::addon {
namespace {

// Longer than the 20 ms timer with which nvurisrcbin waits for its own restart and which it does
// not take down when it stops.
constexpr guint kReleaseDelayMs = 100;

std::atomic<bool> g_runs{false};

struct Body {
  const std::function<void()>* run;
  std::promise<void> done;
};

}  // namespace

void RunMainLoop() {
  static std::once_flag once;
  std::call_once(once, [] {
    g_runs = true;
    // Never joined: nothing of ours outlives the process, and a timer may hang in an element.
    std::thread([] {
      pthread_setname_np(pthread_self(), "sl-main");
      g_main_loop_run(g_main_loop_new(nullptr, FALSE));
    }).detach();
  });
}

void OnMainLoop(const std::function<void()>& body) {
  if (!g_runs) {
    body();
    return;
  }
  Body task{&body, {}};
  g_idle_add_full(
      G_PRIORITY_HIGH,
      [](gpointer data) -> gboolean {
        auto* task = static_cast<Body*>(data);
        (*task->run)();
        task->done.set_value();
        return G_SOURCE_REMOVE;
      },
      &task, nullptr);
  task.done.get_future().wait();
}

void ReleaseOnMainLoop(Owned<GstElement> element) {
  if (element == nullptr || !g_runs) return;
  g_timeout_add_full(
      G_PRIORITY_LOW, kReleaseDelayMs, [](gpointer) -> gboolean { return G_SOURCE_REMOVE; },
      element.release(), gst_object_unref);
}

}  // namespace sightline::addon
