#include "camera/clip.h"

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "camera/unit_reader.h"

namespace sightline::camera {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 30;
constexpr std::uint64_t kDefaultFrameDuration = GST_SECOND / 25;
constexpr std::size_t kHalfSizeFrames = 300;

constexpr char kH264[] =
    "filesrc name=file ! parsebin ! h264parse config-interval=-1 ! "
    "video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=units "
    "sync=false";
constexpr char kH265[] =
    "filesrc name=file ! parsebin ! h265parse config-interval=-1 ! "
    "video/x-h265,stream-format=byte-stream,alignment=au ! appsink name=units "
    "sync=false";
/** The pipeline of a clip of half the size; even, as I420 has half as many
 * colours as lines. */
std::string HalfSize(const Clip& clip) {
  const auto half = [](int size) { return std::to_string(std::max(16, size / 4 * 2)); };
  return "filesrc name=file ! decodebin ! videoconvert ! videoscale ! "
         "video/x-raw,width=" +
         half(clip.width) + ",height=" + half(clip.height) +
         " ! x264enc tune=zerolatency speed-preset=ultrafast bframes=0 "
         "key-int-max=25 ! "
         "h264parse config-interval=-1 ! "
         "video/x-h264,stream-format=byte-stream,alignment=au ! "
         "appsink name=units sync=false max-buffers=4";
}

void ReadCaps(GstCaps* caps, Clip& clip) {
  const GstStructure* facts = gst_caps_get_structure(caps, 0);
  gint numerator = 0;
  gint denominator = 1;
  gst_structure_get_fraction(facts, "framerate", &numerator, &denominator);
  clip.frame_duration = numerator > 0
                            ? gst_util_uint64_scale_int(GST_SECOND, denominator, numerator)
                            : kDefaultFrameDuration;
  gst_structure_get_int(facts, "width", &clip.width);
  gst_structure_get_int(facts, "height", &clip.height);
}

/** Presentation order from the time stamps; decode order where the container
 * has none. */
void RankUnits(Clip& clip, const std::vector<GstClockTime>& shown) {
  std::vector<std::size_t> order(shown.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (std::all_of(shown.begin(), shown.end(),
                  [](GstClockTime time) { return GST_CLOCK_TIME_IS_VALID(time); })) {
    std::stable_sort(order.begin(), order.end(), [&shown](std::size_t left, std::size_t right) {
      return shown[left] < shown[right];
    });
  }
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    clip.units[order[rank]].rank = rank;
    if (order[rank] > rank) {
      clip.reorder_depth = std::max<std::uint64_t>(clip.reorder_depth, order[rank] - rank);
    }
  }
}

Clip Read(UnitReader& reader, Codec codec, std::size_t max_units) {
  Clip clip;
  clip.codec = codec;
  std::vector<GstClockTime> shown;
  std::size_t bytes = 0;
  while (const auto sample = reader.Next()) {
    if (clip.units.empty()) ReadCaps(gst_sample_get_caps(sample.get()), clip);
    GstBuffer* buffer = gst_sample_get_buffer(sample.get());
    bytes += gst_buffer_get_size(buffer);
    if (bytes > kMaxBytes) throw std::runtime_error("longer than the 1 GiB kept in memory");
    shown.push_back(GST_BUFFER_PTS(buffer));
    clip.units.push_back({MakeUnit(codec, BytesOf(buffer)), 0});
    if (clip.units.size() == max_units) break;
  }
  if (clip.units.empty()) throw std::runtime_error("no H.264 or H.265 video in it");
  RankUnits(clip, shown);
  return clip;
}

}  // namespace

std::shared_ptr<const AccessUnit> MakeUnit(Codec codec, std::vector<std::uint8_t> bytes) {
  auto unit = std::make_shared<AccessUnit>();
  unit->bytes = std::move(bytes);
  for (const Bytes nal : SplitNals({unit->bytes.data(), unit->bytes.size()})) {
    const NalKind kind = KindOf(codec, nal);
    if (kind == NalKind::kDelimiter) continue;
    if (kind == NalKind::kKeyPicture) unit->is_key = true;
    unit->nals.push_back(nal);
  }
  return unit;
}

Clip ReadClip(const std::string& path) try {
  try {
    UnitReader reader(kH264, path);
    return Read(reader, Codec::kH264, 0);
  } catch (const WrongCodec&) {
    UnitReader reader(kH265, path);
    return Read(reader, Codec::kH265, 0);
  }
} catch (const std::runtime_error& error) {
  throw std::runtime_error("Cannot read the clip " + path + ": " + error.what());
}

Clip ReadHalfSize(const std::string& path, const Clip& clip) try {
  UnitReader reader(HalfSize(clip).c_str(), path);
  return Read(reader, Codec::kH264, kHalfSizeFrames);
} catch (const std::runtime_error& error) {
  throw std::runtime_error("Cannot make a smaller clip of " + path + ": " + error.what());
}

}  // namespace sightline::camera
