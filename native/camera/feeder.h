#pragma once

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <functional>

#include "camera/clip.h"
#include "camera/options.h"

namespace sightline::camera {

/**
 * Plays the clip into one appsrc, for ever, with time stamps that go on growing over the loops (a
 * looping file source would repeat or lose them, and RTP time would freeze). One per media, that is
 * per group of viewers.
 */
class Feeder {
 public:
  /** `on_stop` runs once, when the frame that `--stop-after-frames` names has been sent. */
  Feeder(const Clip& clip, const Options& options, std::function<void()> on_stop);

  /** Wires `source` to this feeder, which must outlive it. */
  void Attach(GstAppSrc* source);

 private:
  void PushNext(GstAppSrc* source);
  Owned<GstBuffer> Stamped(const AccessUnit& unit) const;
  void StopWhenSent(GstAppSrc* source);

  const Clip& clip_;
  const Options& options_;
  std::function<void()> on_stop_;
  GstClockTime frame_duration_;
  guint64 sent_ = 0;
};

}  // namespace sightline::camera
