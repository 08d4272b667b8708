#pragma once

#include <gst/gst.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>

#include "addon/gst_ptr.h"

namespace sightline::addon {

// One thread with a GMainContext of its own. Tasks run in the order they were posted.
class LoopThread {
 public:
  LoopThread();
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;
  // Quits and joins; on the loop's own thread, or after Detach(), it only quits.
  ~LoopThread();

  // From any thread. A task posted after Quit() is destroyed without running. Must not throw.
  void Post(std::function<void()> task);
  // Attaches a source; it is dispatched on the loop's thread.
  void Attach(GSource* source);
  // True while a posted task has not ended: asked when one exceeds its limit.
  bool busy() const { return state_->unfinished > 0; }
  // Ends the loop after the tasks that were posted before, and waits for its thread.
  void QuitAndJoin();
  // Gives up a thread that hangs in a task: it is left behind with all it holds.
  void Detach();

 private:
  struct State {
    Owned<GMainContext> context{g_main_context_new()};
    Owned<GMainLoop> loop{g_main_loop_new(context.get(), FALSE)};
    std::atomic<int> unfinished{0};
  };
  struct Task {
    std::shared_ptr<State> state;
    std::function<void()> run;
  };
  static gboolean RunTask(gpointer data);

  std::shared_ptr<State> state_ = std::make_shared<State>();
  std::thread thread_;
};

}  // namespace sightline::addon
