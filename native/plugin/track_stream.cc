#include "plugin/track_stream.h"

bool SlTrackStream::SetCaps(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  gint width = 0, height = 0, numerator = 0, denominator = 1;
  if (!gst_structure_get_int(structure, "width", &width) ||
      !gst_structure_get_int(structure, "height", &height)) {
    return false;
  }
  if (width != width_ || height != height_) Flush();
  width_ = width;
  height_ = height;
  gst_structure_get_fraction(structure, "framerate", &numerator, &denominator);
  frame_interval_ = numerator > 0 ? gst_util_uint64_scale(GST_SECOND, denominator, numerator)
                                  : GST_CLOCK_TIME_NONE;
  return true;
}

void SlTrackStream::Flush() {
  tracker_.Reset();
  last_sequence_ = SL_NO_SEQUENCE;
  last_pts_ = GST_CLOCK_TIME_NONE;
}

// Frame intervals since the frame before: by number where frames are numbered, else by time.
float SlTrackStream::Step(guint64 sequence, GstClockTime pts) {
  const guint64 last_sequence = last_sequence_;
  const GstClockTime last_pts = last_pts_;
  last_sequence_ = sequence;
  last_pts_ = pts;
  if (sequence != SL_NO_SEQUENCE && last_sequence != SL_NO_SEQUENCE && sequence > last_sequence) {
    return static_cast<float>(sequence - last_sequence);
  }
  if (GST_CLOCK_TIME_IS_VALID(pts) && GST_CLOCK_TIME_IS_VALID(last_pts) && pts > last_pts &&
      GST_CLOCK_TIME_IS_VALID(frame_interval_)) {
    return static_cast<float>(static_cast<double>(pts - last_pts) /
                              static_cast<double>(frame_interval_));
  }
  return 1;
}

int SlTrackStream::ClassIndex(const SlObject& object) {
  for (std::size_t i = 0; i < classes_.size(); ++i) {
    if (classes_[i].label == object.label && classes_[i].class_id == object.detection.class_id &&
        classes_[i].component == object.component) {
      return static_cast<int>(i);
    }
  }
  classes_.push_back({object.label, object.detection.class_id, object.component});
  return static_cast<int>(classes_.size()) - 1;
}

void SlTrackStream::Read(GstBuffer* buffer) {
  detections_.clear();
  SlForEachObject(buffer, width_, height_, [this](const SlObject& object) {
    detections_.push_back(object.detection);
    detections_.back().class_id = ClassIndex(object);
  });
}

void SlTrackStream::Write(GstBuffer* buffer, const std::vector<sightline::Track>& tracks) {
  SlRemoveObjects(buffer);
  for (const sightline::Track& track : tracks) {
    const ObjectClass& object_class = classes_[track.detection.class_id];
    SlObject object;
    object.detection = track.detection;
    object.detection.class_id = object_class.class_id;
    object.label = object_class.label;
    object.component = object_class.component;
    object.tracked = true;
    object.track_id = track.id;
    object.frames_since_detection = track.frames_since_detection;
    SlAddObject(buffer, object, width_, height_);
  }
}

void SlTrackStream::Track(GstBuffer* buffer, SlFrameMeta* frame) {
  detector_tells_ |= frame->inferred != FALSE;
  const float step = Step(frame->sequence, GST_BUFFER_PTS(buffer));
  Read(buffer);
  const bool skipped = detector_tells_ && !frame->inferred && detections_.empty();
  Write(buffer, skipped ? tracker_.Predict(step) : tracker_.Update(detections_, step));
}
