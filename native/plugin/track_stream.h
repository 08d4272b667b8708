#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <vector>

#include "core/track/byte_tracker.h"
#include "plugin/detection_meta.h"
#include "plugin/frame_meta.h"

// The tracker of one video stream: carries objects from a buffer's metadata to the tracker and
// back, and tells it how much time lies between two frames.
class SlTrackStream {
 public:
  void SetOptions(const sightline::TrackerOptions& options) { tracker_.set_options(options); }
  // Takes the stream's size and frame rate; tracks end when the size changes.
  bool SetCaps(const GstCaps* caps);
  // New tracks get ids from this one on.
  void NumberFrom(std::uint64_t id) { tracker_.set_next_id(id); }
  // Ends all tracks; ids are not given again.
  void Flush();
  // Replaces the buffer's detections by tracks. `buffer` must be writable.
  void Track(GstBuffer* buffer, SlFrameMeta* frame);

 private:
  // What a detector calls a class: elements of other makers may give labels without numbers.
  struct ObjectClass {
    GQuark label;
    int class_id;
    guint component;
  };

  float Step(guint64 sequence, GstClockTime pts);
  int ClassIndex(const SlObject& object);
  void Read(GstBuffer* buffer);
  void Write(GstBuffer* buffer, const std::vector<sightline::Track>& tracks);

  sightline::ByteTracker tracker_;
  sightline::Detections detections_;
  std::vector<ObjectClass> classes_;
  int width_ = 0;
  int height_ = 0;
  GstClockTime frame_interval_ = GST_CLOCK_TIME_NONE;
  // The frame before: its number and time.
  guint64 last_sequence_ = SL_NO_SEQUENCE;
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
  // The detector says on which frames it ran; from one that does not, every frame counts.
  bool detector_tells_ = false;
};
