#include "addon/loop_thread.h"

#include <pthread.h>

#include <utility>

namespace sightline::addon {

LoopThread::LoopThread()
    : thread_([state = state_] {
        pthread_setname_np(pthread_self(), "sl-loop");
        g_main_context_push_thread_default(state->context.get());
        g_main_loop_run(state->loop.get());
        g_main_context_pop_thread_default(state->context.get());
      }) {}

LoopThread::~LoopThread() {
  if (!thread_.joinable()) return;
  if (thread_.get_id() == std::this_thread::get_id()) {
    g_main_loop_quit(state_->loop.get());
    thread_.detach();
  } else {
    QuitAndJoin();
  }
}

gboolean LoopThread::RunTask(gpointer data) {
  auto* task = static_cast<Task*>(data);
  task->run();
  task->state->unfinished--;
  return G_SOURCE_REMOVE;
}

void LoopThread::Post(std::function<void()> task) {
  state_->unfinished++;
  const Owned<GSource> source(g_idle_source_new());
  g_source_set_priority(source.get(), G_PRIORITY_DEFAULT);
  g_source_set_callback(source.get(), RunTask, new Task{state_, std::move(task)},
                        [](gpointer data) { delete static_cast<Task*>(data); });
  Attach(source.get());
}

void LoopThread::Attach(GSource* source) { g_source_attach(source, state_->context.get()); }

void LoopThread::QuitAndJoin() {
  if (!thread_.joinable()) return;
  Post([state = state_] { g_main_loop_quit(state->loop.get()); });
  thread_.join();
}

void LoopThread::Detach() {
  if (thread_.joinable()) thread_.detach();
}

}  // namespace sightline::addon
