#pragma once

#include <gst/gst.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>

// A muxer of GStreamer for one file: coded pictures in, bytes with their place in the file out. The
// muxer stands in no pipeline: its state, its pads and its messages are this object's.
class SlSegmentMuxer {
 public:
  // Called by the muxer's own thread. False ends the file: see failed().
  using Write = std::function<bool(const void* data, std::size_t size, guint64 offset)>;

  struct Settings {
    bool matroska = false;
    guint fragment_ms = 0;
  };

  SlSegmentMuxer(const Settings& settings, Write write);
  ~SlSegmentMuxer();
  SlSegmentMuxer(const SlSegmentMuxer&) = delete;
  SlSegmentMuxer& operator=(const SlSegmentMuxer&) = delete;

  // False when the muxer is not installed or takes no such pictures; see error().
  bool Start(GstCaps* caps, const GstSegment& segment);
  // Takes the buffer. False when nothing more can be written.
  bool Push(GstBuffer* buffer);
  // Ends the file; true when every byte of it was written.
  bool Finish();

  // What the muxer said, or what was tried; empty without an error.
  std::string error() const;

 private:
  static GstFlowReturn Chain(GstPad* pad, GstObject*, GstBuffer* buffer);
  static GstFlowReturn ChainList(GstPad* pad, GstObject*, GstBufferList* list);
  static gboolean Event(GstPad* pad, GstObject*, GstEvent* event);
  static gboolean Query(GstPad* pad, GstObject* parent, GstQuery* query);
  static gboolean FeedQuery(GstPad* pad, GstObject* parent, GstQuery* query);
  static GstBusSyncReply Message(GstBus*, GstMessage* message, gpointer self);
  static SlSegmentMuxer* Self(GstPad* pad);

  bool Link(const char* factory);
  GstFlowReturn Put(GstBuffer* buffer);
  void End(bool well);
  void SetError(const std::string& error);

  const Settings settings_;
  const Write write_;
  GstElement* muxer_ = nullptr;
  GstPad* feed_ = nullptr;   // into the muxer
  GstPad* drain_ = nullptr;  // out of it
  guint64 offset_ = 0;       // of the next byte; the muxer's thread's
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  bool well_ = false;
  std::string error_;
};
