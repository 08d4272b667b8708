#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sightline {

// A coded picture, in the order of decoding.
struct Mp4Sample {
  std::uint64_t pts_ns = 0;
  std::uint32_t size_bytes = 0;
  bool key_frame = false;
};

// Makes the headers of a file's fragments (ISO/IEC 14496-12, 8.8). When a picture is decoded is not
// asked of anyone: cameras do not send it. The n-th picture of a fragment is decoded at the n-th of
// its times of presentation, and its offset (signed, as 8.8.8.1 allows in version 1) says when it
// is shown. Times count from the file's first picture.
class Mp4Fragments {
 public:
  explicit Mp4Fragments(std::uint64_t first_pts_ns) : base_ns_(first_pts_ns) {}

  // A `moof` and the first bytes of the `mdat` that the pictures follow.
  // `offset` is where it will stand in the file, `next_pts_ns` the time of the picture after it.
  std::string Header(const std::vector<Mp4Sample>& samples, std::uint64_t offset,
                     std::optional<std::uint64_t> next_pts_ns);
  // Where the fragments with key frames are (8.8.9), for the end of the file.
  std::string Index() const;

  // Of all fragments so far.
  std::uint64_t duration_units() const { return end_; }

 private:
  // The first key frame of a fragment.
  struct Entry {
    std::uint64_t time;
    std::uint64_t offset;
    std::uint32_t number;
  };

  std::uint64_t Units(std::uint64_t pts_ns) const;
  std::vector<std::uint64_t> DecodeTimes(const std::vector<Mp4Sample>& samples);

  const std::uint64_t base_ns_;
  std::uint32_t sequence_ = 0;
  std::uint64_t last_ = 0;  // decoding time of the last picture
  std::uint64_t end_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace sightline
