#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "core/record/segment_files.h"
#include "plugin/segment_muxer.h"

struct SlRecorderSettings {
  std::string folder;
  std::string session;
  bool matroska = false;
  guint segment_ms = 60'000;
  guint fragment_ms = 1000;
  // Bytes that may be inside the muxer: more means that it does not write.
  guint64 max_held_bytes = 33'554'432;
  guint64 epoch = 0;
};

// Since the element started.
struct SlRecorderCounters {
  std::atomic<guint64> recorded{0};       // that went into a segment
  std::atomic<guint64> lost{0};           // that are in no file
  std::atomic<guint64> bytes{0};          // of media on their way to the disk
  std::atomic<guint64> segments{0};       // closed
  std::atomic<guint64> last_write_ns{0};  // monotonic; 0 before the first
};

// Writes a stream's coded pictures into one file after the other. A file that cannot be written is
// left as it is; the next one is tried at a key frame, after a wait that grows, and what comes
// meanwhile is counted as lost. One thread at a time calls it.
class SlRecorder {
 public:
  SlRecorder(GstElement* element, SlRecorderCounters* counters);
  ~SlRecorder();

  void Start(const SlRecorderSettings& settings);
  void SetCaps(GstCaps* caps);
  void SetSegment(const GstSegment& segment) { segment_ = segment; }
  // Takes the buffer, which came at `came_unix_ns`.
  void Take(GstBuffer* buffer, guint64 came_unix_ns);
  // Closes the file that is open. More can be taken afterwards.
  void Stop();
  // Why nothing is written now; empty while all is well.
  std::string failure() const;

 private:
  struct Open;

  bool Begin(GstClockTime pts, guint64 now_ns);
  void Close();
  void Abandon(const std::string& message);
  void Forget(const std::string& message);
  void Recovered();
  // What went wrong behind the muxer; empty when nothing did.
  std::string Trouble() const;
  bool IsOver(GstClockTime pts) const;
  void Note(GstBuffer* buffer, sightline::FrameNote note);
  void Tell(const char* what, const std::string& message);

  GstElement* const element_;
  SlRecorderCounters* const counters_;
  SlRecorderSettings settings_;
  GstCaps* caps_ = nullptr;
  bool caps_changed_ = false;
  GstSegment segment_;
  std::unique_ptr<Open> open_;
  guint64 next_number_ = 0;
  guint64 next_sequence_ = 0;
  guint failures_ = 0;
  guint64 retry_at_ns_ = 0;
  mutable std::mutex failure_mutex_;
  std::string failure_;
};
