#pragma once

#include <gst/video/video.h>

#include <memory>

#include "core/config/infer_config.h"
#include "core/infer/letterbox.h"
#include "core/infer/preprocess.h"

// Brings a video frame to the size and colours of a network's input: scales in the frame's own
// format first, then converts the small picture (2.5 times cheaper than the other way round at
// 720p). All memory is allocated when the format is known, none for a frame.
class FrameScaler {
 public:
  // `letterbox` says the picture's size. Throws sightline::Error when GStreamer cannot convert.
  FrameScaler(const GstVideoInfo& source, const sightline::Letterbox& letterbox,
              sightline::ColorFormat colors, sightline::ScalingFilter filter);

  // The picture, valid until the next call.
  const sightline::PixelView& Scale(GstVideoFrame* frame);

 private:
  // A picture of its own, mapped as long as it lives.
  class Picture {
   public:
    Picture(const GstVideoInfo& like, GstVideoFormat format, int width, int height);
    ~Picture();
    Picture(const Picture&) = delete;
    Picture& operator=(const Picture&) = delete;
    GstVideoFrame* frame() { return &frame_; }
    GstVideoInfo* info() { return &info_; }

   private:
    GstVideoInfo info_;
    GstVideoFrame frame_;
  };
  struct FreeConverter {
    void operator()(GstVideoConverter* converter) const { gst_video_converter_free(converter); }
  };
  using Converter = std::unique_ptr<GstVideoConverter, FreeConverter>;

  static Converter MakeScaler(const GstVideoInfo& source, const GstVideoInfo& target,
                              sightline::ScalingFilter filter);
  static Converter MakeConverter(const GstVideoInfo& source, const GstVideoInfo& target);

  std::unique_ptr<Picture> scaled_;  // null when the frame has the size already
  std::unique_ptr<Picture> converted_;
  Converter scaler_;
  Converter converter_;
  sightline::PixelView view_;
};
