#pragma once

#include <condition_variable>
#include <mutex>
#include <string>

#include "plugin/segment_muxer.h"

// GStreamer's matroskamux for one file. It stands in no pipeline: its state, its pads and its
// messages are this object's. Bytes may come from a thread of its own.
class SlMatroskaMuxer : public SlSegmentMuxer {
 public:
  SlMatroskaMuxer(guint cluster_ms, Write write);
  ~SlMatroskaMuxer() override;
  SlMatroskaMuxer(const SlMatroskaMuxer&) = delete;
  SlMatroskaMuxer& operator=(const SlMatroskaMuxer&) = delete;

  bool Start(GstCaps* caps, const GstSegment& segment) override;
  bool Push(GstBuffer* buffer, GstClockTime pts) override;
  bool Finish() override;
  std::string error() const override;

 private:
  static GstFlowReturn Chain(GstPad* pad, GstObject*, GstBuffer* buffer);
  static GstFlowReturn ChainList(GstPad* pad, GstObject*, GstBufferList* list);
  static gboolean Event(GstPad* pad, GstObject*, GstEvent* event);
  static gboolean Query(GstPad* pad, GstObject* parent, GstQuery* query);
  static gboolean FeedQuery(GstPad* pad, GstObject* parent, GstQuery* query);
  static GstBusSyncReply Message(GstBus*, GstMessage* message, gpointer self);
  static SlMatroskaMuxer* Self(GstPad* pad);

  bool Link();
  GstFlowReturn Put(GstBuffer* buffer);
  void End(bool well);
  void SetError(const std::string& error);

  const guint cluster_ms_;
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
