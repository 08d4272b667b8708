#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/record/fragment_span.h"

// What comes to a recorder waits here for the recorder's own thread, so that a slow disk does not
// hold up whoever brings it. The thread is woken when pictures of a whole fragment are together,
// and not for each of them: waking costs more than what there is to do with one.
class SlRecordIntake {
 public:
  struct Limits {
    // Pictures of this time are handed over together; 0: each on its own.
    GstClockTime together_ns = 0;
    // What may wait, by the pictures' time and by bytes. With more, whoever brings it waits.
    GstClockTime most_ns = 0;
    guint64 most_bytes = 0;
  };
  struct Item {
    GstMiniObject* object = nullptr;  // a buffer or an event, the taker's own
    guint64 came_unix_ns = 0;
  };
  // Called in the recorder's thread.
  using Take = std::function<void(const Item& item)>;

  ~SlRecordIntake() { Stop(); }

  void Start(const Limits& limits, Take take);
  // Takes the buffer. False when it was refused, because the pad lets nothing in any more.
  bool Push(GstBuffer* buffer);
  // Takes the event, behind the pictures that came before it.
  void Push(GstEvent* event);
  // Whoever waits to bring something is let go, and nothing is let in; what is in stays.
  void Refuse(bool refuse);
  // Hands over what is left, and ends the thread.
  void Stop();

 private:
  void Run();
  void Put(GstMiniObject* object, guint64 bytes);
  bool HasRoom() const;

  Limits limits_;
  Take take_;
  std::thread thread_;
  std::mutex mutex_;
  std::condition_variable ready_changed_;
  std::condition_variable room_changed_;
  std::deque<Item> items_;
  guint64 bytes_ = 0;
  std::optional<sightline::FragmentSpan> span_;
  bool ready_ = false;  // for the thread
  bool refusing_ = false;
  bool ending_ = false;
};
