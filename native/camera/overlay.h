#pragma once

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "camera/clip.h"
#include "camera/loop.h"
#include "camera/owned.h"

namespace sightline::camera {

/**
 * One live encoder for all streams: decodes the clip, draws the frame number
 * and the clock, encodes H.264. Frames are numbered by time since it began; it
 * rests while nobody watches.
 */
class Overlay {
 public:
  using Take = std::function<void(std::shared_ptr<const AccessUnit> unit, std::uint64_t frame)>;

  /** `loop` and `clip` must outlive it. Throws std::runtime_error when nothing
   * can be encoded. */
  Overlay(Loop& loop, const Clip& clip, std::uint64_t frame_duration);
  ~Overlay();
  Overlay(const Overlay&) = delete;
  Overlay& operator=(const Overlay&) = delete;

  /** The first picture, for the description of the stream. */
  std::shared_ptr<const AccessUnit> first() const { return first_; }
  /** Calls `take` in the loop for each encoded frame, as long as `is_wanted`.
   */
  void Start(std::function<bool()> is_wanted, Take take);
  /** When frame 0 was due. */
  std::int64_t began() const { return began_; }

 private:
  struct Encoded {
    std::shared_ptr<const AccessUnit> unit;
    std::uint64_t frame;
  };

  void Push(std::uint64_t frame);
  void Tick();
  void HandOver();
  static GstPadProbeReturn Draw(GstPad* pad, GstPadProbeInfo* info, gpointer self);
  static GstFlowReturn OnEncoded(GstAppSink* sink, gpointer self);

  Loop& loop_;
  const Clip& clip_;
  std::uint64_t frame_duration_;
  Owned<GstElement> pipeline_;
  Owned<GstElement> input_;
  std::shared_ptr<const AccessUnit> first_;
  std::function<bool()> is_wanted_;
  Take take_;
  std::int64_t began_ = 0;
  std::uint64_t tick_ = 0;
  std::size_t at_ = 0;
  int wake_ = -1;
  std::mutex mutex_;
  std::vector<Encoded> encoded_;
};

}  // namespace sightline::camera
