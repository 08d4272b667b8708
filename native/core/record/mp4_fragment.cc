#include "core/record/mp4_fragment.h"

#include <algorithm>

#include "core/record/box_writer.h"
#include "core/record/mp4_header.h"

namespace sightline {
namespace {

constexpr std::uint32_t kTrackId = 1;
// 8.8.3.1: a key frame depends on no other picture; others do, and nothing can begin with them.
constexpr std::uint32_t kKeyFlags = 0x0200'0000;
constexpr std::uint32_t kOtherFlags = 0x0101'0000;
// Offsets of data count from the beginning of the moof.
constexpr std::uint32_t kBaseIsMoof = 0x02'0000;
// A run says where its data begins, and of each sample its duration, size, flags and offset.
constexpr std::uint32_t kRunFlags = 0x0001 | 0x0100 | 0x0200 | 0x0400 | 0x0800;
// Without a neighbour to measure by: a 25th of a second.
constexpr std::uint64_t kUsualDuration = kMp4Timescale / 25;
// Of one sample; what is longer shows in the time of the next fragment.
constexpr std::uint64_t kMostDuration = 0xffff'ffff;
constexpr std::size_t kMdatHeaderBytes = 8;

}  // namespace

// Rounded. 90,000 a second are 9 in 100,000 ns.
std::uint64_t Mp4Fragments::Units(std::uint64_t pts_ns) const {
  const std::uint64_t since = pts_ns - std::min(pts_ns, base_ns_);
  return since / 100'000 * 9 + (since % 100'000 * 9 + 50'000) / 100'000;
}

std::vector<std::uint64_t> Mp4Fragments::DecodeTimes(const std::vector<Mp4Sample>& samples) {
  std::vector<std::uint64_t> times;
  times.reserve(samples.size());
  for (const Mp4Sample& sample : samples) times.push_back(Units(sample.pts_ns));
  std::sort(times.begin(), times.end());
  // What a camera shows before pictures of the fragment before is decoded after them all the same.
  for (std::uint64_t& time : times) last_ = time = std::max(time, last_);
  return times;
}

std::string Mp4Fragments::Header(const std::vector<Mp4Sample>& samples, std::uint64_t offset,
                                 std::optional<std::uint64_t> next_pts_ns) {
  const std::vector<std::uint64_t> times = DecodeTimes(samples);
  const std::size_t count = samples.size();
  const bool in_order = times.back() == Units(samples.back().pts_ns);
  // Of pictures out of order the next one is not the next that is shown.
  std::uint64_t last_duration = count > 1 ? times[count - 1] - times[count - 2] : kUsualDuration;
  if (next_pts_ns && (in_order || count == 1)) {
    last_duration = std::min(std::max(Units(*next_pts_ns), last_) - last_, kMostDuration);
  }
  end_ = last_ + last_duration;

  BoxWriter to;
  std::uint64_t media_bytes = 0;
  std::size_t data_offset_at = 0;
  to.Box("moof", [&] {
    to.FullBox("mfhd", 0, 0, [&] { to.U32(++sequence_); });
    to.Box("traf", [&] {
      to.FullBox("tfhd", 0, kBaseIsMoof, [&] { to.U32(kTrackId); });
      to.FullBox("tfdt", 1, 0, [&] { to.Put(times.front()); });
      to.FullBox("trun", 1, kRunFlags, [&] {
        to.U32(static_cast<std::uint32_t>(count));
        data_offset_at = to.size();
        to.U32(0);
        for (std::size_t i = 0; i < count; ++i) {
          const Mp4Sample& sample = samples[i];
          const std::uint64_t duration = i + 1 < count ? times[i + 1] - times[i] : last_duration;
          to.U32(static_cast<std::uint32_t>(duration));
          to.U32(sample.size_bytes);
          to.U32(sample.key_frame ? kKeyFlags : kOtherFlags);
          to.U32(static_cast<std::uint32_t>(Units(sample.pts_ns) - times[i]));
          media_bytes += sample.size_bytes;
        }
      });
    });
  });
  to.SetU32(data_offset_at, static_cast<std::uint32_t>(to.size() + kMdatHeaderBytes));
  to.U32(static_cast<std::uint32_t>(media_bytes + kMdatHeaderBytes));
  to.Append("mdat");

  const auto key = std::find_if(samples.begin(), samples.end(),
                                [](const Mp4Sample& sample) { return sample.key_frame; });
  if (key != samples.end()) {
    const auto number = static_cast<std::uint32_t>(key - samples.begin() + 1);
    entries_.push_back({Units(key->pts_ns), offset, number});
  }
  return to.Take();
}

std::string Mp4Fragments::Index() const {
  BoxWriter to;
  to.Box("mfra", [&] {
    to.FullBox("tfra", 1, 0, [&] {
      to.U32(kTrackId);
      to.U32(0x3f);  // numbers of the track's fragment, its run and its sample have four bytes
      to.U32(static_cast<std::uint32_t>(entries_.size()));
      for (const Entry& entry : entries_) {
        to.Put(entry.time);
        to.Put(entry.offset);
        to.U32(1);
        to.U32(1);
        to.U32(entry.number);
      }
    });
    // 8.8.11: how many bytes before the end of the file the index begins.
    to.FullBox("mfro", 0, 0, [&] { to.U32(static_cast<std::uint32_t>(to.size() + 4)); });
  });
  return to.Take();
}

}  // namespace sightline
