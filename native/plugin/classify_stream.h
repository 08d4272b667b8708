#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <vector>

#include "core/infer/object_memory.h"
#include "plugin/classifier.h"
#include "plugin/detection_meta.h"

// What slclassify does with the frames of one stream: which objects are looked at, what is known of
// them already, and the labels on them.
class SlClassifyStream {
 public:
  struct Counts {
    guint64 objects = 0;   // that the configuration chooses
    guint64 inferred = 0;  // looked at; the others have the label they got before
    guint64 infer_ns = 0;  // for this frame, 0 when nothing was looked at
  };

  explicit SlClassifyStream(const ClassifierSettings& settings);

  const Classifier& classifier() const { return classifier_; }
  void SetFormat(const GstVideoInfo& info);
  void Flush();
  // Puts labels on the objects of a frame. `buffer` must be writable. Throws sightline::Error.
  Counts Process(GstBuffer* buffer);

 private:
  struct Chosen {
    GstVideoRegionOfInterestMeta* region;
    bool tracked;
    guint64 track_id;
    double area;
    bool look;  // its part is among parts_
    sightline::ClassLabel label;
  };

  bool IsWanted(const SlObject& object) const;
  void Choose(GstBuffer* buffer);
  void Look(GstBuffer* buffer);
  void Attach(const Chosen& object) const;

  Classifier classifier_;
  sightline::ObjectMemory memory_;
  GstVideoInfo info_ = {};
  guint64 frame_ = 0;
  std::vector<Chosen> chosen_;
  std::vector<sightline::PixelRect> parts_;
};
