#pragma once

#include <gst/video/video.h>

#include "core/error.h"

// A frame mapped for reading as long as this lives.
class SlMappedFrame {
 public:
  SlMappedFrame(GstVideoInfo* info, GstBuffer* buffer)
      : mapped_(gst_video_frame_map(&frame_, info, buffer, GST_MAP_READ)) {
    if (!mapped_) {
      throw sightline::Error(sightline::ErrorKind::kFailed,
                             "A frame cannot be read: it is smaller than its format needs");
    }
  }
  ~SlMappedFrame() { gst_video_frame_unmap(&frame_); }
  SlMappedFrame(const SlMappedFrame&) = delete;
  SlMappedFrame& operator=(const SlMappedFrame&) = delete;
  GstVideoFrame* get() { return &frame_; }

 private:
  GstVideoFrame frame_;
  bool mapped_;
};
