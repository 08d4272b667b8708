#include "plugin/mp4_muxer.h"

#include <algorithm>
#include <utility>

#include "core/record/mp4_header.h"

namespace {

// A key frame ends a fragment that has this part of its time.
constexpr guint64 kShortPart = 4;
// The size of a fragment has 32 bits.
constexpr std::size_t kMostBytes = 1U << 30;

std::string BytesOf(GstBuffer* buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// What the parser found out about the pictures; empty `configuration` when it is not all there.
sightline::Mp4Track TrackOf(const GstCaps* caps) {
  sightline::Mp4Track track;
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  track.h265 = gst_structure_has_name(structure, "video/x-h265");
  gint width = 0;
  gint height = 0;
  gst_structure_get_int(structure, "width", &width);
  gst_structure_get_int(structure, "height", &height);
  const GValue* configuration = gst_structure_get_value(structure, "codec_data");
  const bool known = configuration != nullptr && GST_VALUE_HOLDS_BUFFER(configuration);
  if (!known || width <= 0 || height <= 0 || width > G_MAXUINT16 || height > G_MAXUINT16) {
    return track;
  }
  track.width = static_cast<std::uint16_t>(width);
  track.height = static_cast<std::uint16_t>(height);
  track.configuration = BytesOf(gst_value_get_buffer(configuration));
  gint pixel_width = 1;
  gint pixel_height = 1;
  gst_structure_get_fraction(structure, "pixel-aspect-ratio", &pixel_width, &pixel_height);
  if (pixel_width > 0 && pixel_height > 0) {
    track.pixel_width = static_cast<std::uint32_t>(pixel_width);
    track.pixel_height = static_cast<std::uint32_t>(pixel_height);
  }
  return track;
}

}  // namespace

SlMp4Muxer::SlMp4Muxer(guint fragment_ms, guint64 made_unix_ns, Write write)
    : made_unix_ns_(made_unix_ns),
      write_(std::move(write)),
      span_(fragment_ms * GST_MSECOND, fragment_ms * GST_MSECOND / kShortPart) {}

bool SlMp4Muxer::Start(GstCaps* caps, const GstSegment&) {
  sightline::Mp4Track track = TrackOf(caps);
  if (track.configuration.empty()) {
    gchar* text = gst_caps_to_string(caps);
    error_ = std::string("MP4 needs the size and the parameter sets of ") + text;
    g_free(text);
    return false;
  }
  track.made_unix_s = made_unix_ns_ / GST_SECOND;
  const sightline::Mp4Header header = sightline::MakeMp4Header(track);
  duration_at_ = header.duration_at;
  return Put(header.bytes);
}

bool SlMp4Muxer::Push(GstBuffer* buffer, GstClockTime pts) {
  const gsize size = gst_buffer_get_size(buffer);
  const bool key_frame = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  const sightline::Mp4Sample sample = {pts, static_cast<std::uint32_t>(size), key_frame};
  if (!fragments_) fragments_.emplace(pts);
  const bool full = !samples_.empty() && media_.size() + size > kMostBytes;
  if ((full || span_.EndsBefore(pts, key_frame)) && !WriteFragment(pts)) {
    gst_buffer_unref(buffer);
    return false;
  }
  span_.Add(pts);
  samples_.push_back(sample);
  const std::size_t at = media_.size();
  media_.resize(at + size);
  gst_buffer_extract(buffer, 0, media_.data() + at, size);
  gst_buffer_unref(buffer);
  return true;
}

bool SlMp4Muxer::WriteFragment(std::optional<guint64> next_pts) {
  const bool written = Put(fragments_->Header(samples_, offset_, next_pts)) && Put(media_);
  samples_.clear();
  media_.clear();
  span_.Clear();
  return written;
}

bool SlMp4Muxer::Finish() {
  if (!fragments_) return true;
  if (!samples_.empty() && !WriteFragment(std::nullopt)) return false;
  const std::string duration = sightline::Mp4Duration(fragments_->duration_units());
  return Put(fragments_->Index()) && write_(duration.data(), duration.size(), duration_at_);
}

bool SlMp4Muxer::Put(const std::string& bytes) {
  if (!write_(bytes.data(), bytes.size(), offset_)) return false;
  offset_ += bytes.size();
  return true;
}
