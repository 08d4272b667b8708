#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/record/fragment_span.h"
#include "core/record/mp4_fragment.h"
#include "plugin/segment_muxer.h"

// Fragmented MP4, written fragment by fragment in the thread that brings the pictures. A fragment
// ends with its time, or before a key frame when it is not short, so that players and clips can
// begin where the key frame is; never between pictures that are shown in another order.
class SlMp4Muxer : public SlSegmentMuxer {
 public:
  SlMp4Muxer(guint fragment_ms, guint64 made_unix_ns, Write write);

  bool Start(GstCaps* caps, const GstSegment& segment) override;
  bool Push(GstBuffer* buffer, GstClockTime pts) override;
  bool Finish() override;
  std::string error() const override { return error_; }

 private:
  bool WriteFragment(std::optional<guint64> next_pts);
  bool Put(const std::string& bytes);

  const guint64 made_unix_ns_;
  const Write write_;
  std::string error_;
  guint64 offset_ = 0;  // of the next byte
  std::size_t duration_at_ = 0;
  std::optional<sightline::Mp4Fragments> fragments_;
  // Of the fragment that is not written yet.
  std::vector<sightline::Mp4Sample> samples_;
  std::string media_;
  sightline::FragmentSpan span_;
};
