#include "plugin/frame_scaler.h"

#include <string>

#include "core/error.h"

using sightline::ColorFormat;
using sightline::Error;
using sightline::ErrorKind;
using sightline::ScalingFilter;

FrameScaler::Picture::Picture(const GstVideoInfo& like, GstVideoFormat format, int width,
                              int height) {
  const GstVideoInterlaceMode mode = GST_VIDEO_INFO_INTERLACE_MODE(&like);
  if (!gst_video_info_set_interlaced_format(&info_, format, mode, static_cast<guint>(width),
                                            static_cast<guint>(height))) {
    throw Error(ErrorKind::kFailed, "No picture of " + std::to_string(width) + "x" +
                                        std::to_string(height) + " pixels can be made");
  }
  if (format == GST_VIDEO_INFO_FORMAT(&like)) info_.colorimetry = like.colorimetry;
  info_.chroma_site = like.chroma_site;
  info_.fps_n = like.fps_n;  // GstVideoConverter refuses to change the frame rate
  info_.fps_d = like.fps_d;
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, GST_VIDEO_INFO_SIZE(&info_), nullptr);
  const bool mapped =
      buffer != nullptr && gst_video_frame_map(&frame_, &info_, buffer, GST_MAP_READWRITE);
  if (buffer != nullptr) gst_buffer_unref(buffer);  // the mapping holds its own reference
  if (!mapped) throw Error(ErrorKind::kFailed, "No memory for the scaled picture");
}

FrameScaler::Picture::~Picture() { gst_video_frame_unmap(&frame_); }

FrameScaler::FrameScaler(const GstVideoInfo& source, const sightline::Letterbox& letterbox,
                         ColorFormat colors, ScalingFilter filter) {
  const int width = letterbox.width;
  const int height = letterbox.height;
  const bool gray = colors == ColorFormat::kGray;
  if (GST_VIDEO_INFO_WIDTH(&source) != width || GST_VIDEO_INFO_HEIGHT(&source) != height) {
    scaled_ = std::make_unique<Picture>(source, GST_VIDEO_INFO_FORMAT(&source), width, height);
    scaler_ = MakeScaler(source, *scaled_->info(), filter);
  }
  // Four bytes a pixel: GStreamer converts to it in half the time it takes to RGB, and the
  // network's colour order costs nothing when the planes are written.
  converted_ = std::make_unique<Picture>(
      source, gray ? GST_VIDEO_FORMAT_GRAY8 : GST_VIDEO_FORMAT_BGRx, width, height);
  converter_ = MakeConverter(scaled_ ? *scaled_->info() : source, *converted_->info());
  if (!converter_ || (scaled_ && !scaler_)) {
    throw Error(ErrorKind::kFailed, std::string("Frames of the format ") +
                                        GST_VIDEO_INFO_NAME(&source) +
                                        " cannot be scaled; put videoconvert before slinfer");
  }
  GstVideoFrame* frame = converted_->frame();
  view_.data = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
  view_.row_bytes = static_cast<size_t>(GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0));
  view_.width = width;
  view_.height = height;
  view_.pixel_bytes = gray ? 1 : 4;
  const bool bgr = colors == ColorFormat::kBgr;
  view_.channel_at[0] = gray || bgr ? 0 : 2;
  view_.channel_at[1] = 1;
  view_.channel_at[2] = bgr ? 2 : 0;
}

FrameScaler::Converter FrameScaler::MakeScaler(const GstVideoInfo& source,
                                               const GstVideoInfo& target, ScalingFilter filter) {
  const GstVideoResamplerMethod method = filter == ScalingFilter::kNearest
                                             ? GST_VIDEO_RESAMPLER_METHOD_NEAREST
                                             : GST_VIDEO_RESAMPLER_METHOD_LINEAR;
  // Only with the colours left alone does GStreamer scale plane by plane; two taps are bilinear.
  GstStructure* options = gst_structure_new(
      "scale", GST_VIDEO_CONVERTER_OPT_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD, method,
      GST_VIDEO_CONVERTER_OPT_CHROMA_RESAMPLER_METHOD, GST_TYPE_VIDEO_RESAMPLER_METHOD, method,
      GST_VIDEO_RESAMPLER_OPT_MAX_TAPS, G_TYPE_INT, 2, GST_VIDEO_CONVERTER_OPT_CHROMA_MODE,
      GST_TYPE_VIDEO_CHROMA_MODE, GST_VIDEO_CHROMA_MODE_NONE, GST_VIDEO_CONVERTER_OPT_MATRIX_MODE,
      GST_TYPE_VIDEO_MATRIX_MODE, GST_VIDEO_MATRIX_MODE_NONE, GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
      GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, nullptr);
  return Converter(gst_video_converter_new(&source, &target, options));
}

FrameScaler::Converter FrameScaler::MakeConverter(const GstVideoInfo& source,
                                                  const GstVideoInfo& target) {
  GstStructure* options =
      gst_structure_new("convert", GST_VIDEO_CONVERTER_OPT_DITHER_METHOD,
                        GST_TYPE_VIDEO_DITHER_METHOD, GST_VIDEO_DITHER_NONE, nullptr);
  return Converter(gst_video_converter_new(&source, &target, options));
}

const sightline::PixelView& FrameScaler::Scale(GstVideoFrame* frame) {
  GstVideoFrame* small = frame;
  if (scaled_) {
    small = scaled_->frame();
    gst_video_converter_frame(scaler_.get(), frame, small);
  }
  gst_video_converter_frame(converter_.get(), small, converted_->frame());
  return view_;
}
