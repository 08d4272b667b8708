#include "core/record/mp4_fragment.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "core/record/mp4_header.h"

namespace sightline {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

std::uint64_t Number(const std::string& bytes, std::size_t at, std::size_t size) {
  return std::accumulate(
      bytes.begin() + at, bytes.begin() + at + size, std::uint64_t{0},
      [](std::uint64_t sum, char byte) { return sum << 8 | static_cast<unsigned char>(byte); });
}

// The content of a box that is reached by its outer ones' types; those of full boxes begin with
// their version.
std::string Content(const std::string& bytes, const std::vector<std::string>& path) {
  std::string within = bytes;
  for (const std::string& type : path) {
    std::string found;
    for (std::size_t at = 0; at + 8 <= within.size();) {
      const std::size_t size = Number(within, at, 4);
      EXPECT_GE(size, 8U);
      if (size < 8) return "";
      if (within.compare(at + 4, 4, type) == 0) found = within.substr(at + 8, size - 8);
      at += size;
    }
    EXPECT_NE(found, "") << "no " << type;
    within = found;
  }
  return within;
}

struct Row {
  std::uint64_t duration;
  std::uint64_t size;
  std::uint64_t flags;
  std::int32_t offset;
};

struct Fragment {
  explicit Fragment(const std::string& bytes)
      : time(Number(Content(bytes, {"moof", "traf", "tfdt"}), 4, 8)),
        moof_bytes(Number(bytes, 0, 4)),
        mdat_bytes(Number(bytes, moof_bytes, 4)) {
    const std::string run = Content(bytes, {"moof", "traf", "trun"});
    data_offset = Number(run, 8, 4);
    for (std::size_t i = 0; i < Number(run, 4, 4); ++i) {
      const std::size_t at = 12 + 16 * i;
      rows.push_back({Number(run, at, 4), Number(run, at + 4, 4), Number(run, at + 8, 4),
                      static_cast<std::int32_t>(Number(run, at + 12, 4))});
    }
  }

  std::uint64_t time;
  std::uint64_t moof_bytes;
  std::uint64_t mdat_bytes;
  std::uint64_t data_offset = 0;
  std::vector<Row> rows;
};

TEST(Mp4FragmentTest, PicturesInOrderAreDecodedWhenTheyAreShown) {
  Mp4Fragments fragments(1000 * kMs);
  const Fragment first(
      fragments.Header({{1000 * kMs, 10, true}, {1040 * kMs, 5, false}}, 600, 1080 * kMs));
  EXPECT_EQ(first.time, 0U);
  EXPECT_EQ(first.data_offset, first.moof_bytes + 8);
  EXPECT_EQ(first.mdat_bytes, 8U + 15U);
  ASSERT_EQ(first.rows.size(), 2U);
  EXPECT_EQ(first.rows[0].duration, 3600U);
  EXPECT_EQ(first.rows[0].size, 10U);
  EXPECT_EQ(first.rows[0].flags, 0x0200'0000U);
  EXPECT_EQ(first.rows[1].flags, 0x0101'0000U);
  EXPECT_EQ(first.rows[1].offset, 0);
  const Fragment second(fragments.Header({{1080 * kMs, 7, false}}, 700, std::nullopt));
  EXPECT_EQ(second.time, 7200U);
  EXPECT_EQ(fragments.duration_units(), 10'800U);
}

TEST(Mp4FragmentTest, OfPicturesOutOfOrderTheOffsetSaysWhenTheyAreShown) {
  Mp4Fragments fragments(0);
  // I P B B, then P B.
  const Fragment first(fragments.Header(
      {{0, 9, true}, {120 * kMs, 5, false}, {40 * kMs, 2, false}, {80 * kMs, 2, false}}, 0,
      200 * kMs));
  std::vector<std::int32_t> offsets;
  for (const Row& row : first.rows) {
    EXPECT_EQ(row.duration, 3600U);
    offsets.push_back(row.offset);
  }
  EXPECT_EQ(offsets, (std::vector<std::int32_t>{0, 7200, -3600, -3600}));
  const Fragment second(fragments.Header({{200 * kMs, 5, false}, {160 * kMs, 2, false}}, 0, {}));
  EXPECT_EQ(second.time, 14'400U);
  EXPECT_EQ(second.rows[0].offset, 3600);
  EXPECT_EQ(second.rows[1].offset, -3600);
}

TEST(Mp4FragmentTest, TimesOfDecodingNeverGoBack) {
  Mp4Fragments fragments(0);
  fragments.Header({{0, 1, true}, {400 * kMs, 1, false}}, 0, 440 * kMs);
  const Fragment late(fragments.Header({{80 * kMs, 1, false}, {440 * kMs, 1, false}}, 0, {}));
  EXPECT_EQ(late.time, 36'000U);
  EXPECT_EQ(late.rows[0].offset, 7200 - 36'000);
  EXPECT_EQ(late.rows[0].duration, 3600U);
}

TEST(Mp4FragmentTest, APauseIsInTheLengthOfThePictureBeforeIt) {
  Mp4Fragments fragments(0);
  const Fragment first(fragments.Header({{0, 1, true}}, 0, 5'000 * kMs));
  EXPECT_EQ(first.rows[0].duration, 450'000U);
}

TEST(Mp4FragmentTest, TheIndexHasTheFirstKeyFrameOfEachFragment) {
  Mp4Fragments fragments(0);
  fragments.Header({{0, 1, true}, {40 * kMs, 1, true}}, 600, 80 * kMs);
  fragments.Header({{80 * kMs, 1, false}}, 700, 120 * kMs);
  fragments.Header({{120 * kMs, 1, false}, {160 * kMs, 1, true}}, 800, std::nullopt);
  const std::string bytes = fragments.Index();
  const std::string index = Content(bytes, {"mfra", "tfra"});
  ASSERT_EQ(Number(index, 12, 4), 2U);
  const auto entry = [&](std::size_t i, std::size_t at, std::size_t size) {
    return Number(index, 16 + 28 * i + at, size);
  };
  EXPECT_EQ(entry(0, 0, 8), 0U);
  EXPECT_EQ(entry(0, 8, 8), 600U);
  EXPECT_EQ(entry(0, 24, 4), 1U);
  EXPECT_EQ(entry(1, 0, 8), 14'400U);
  EXPECT_EQ(entry(1, 8, 8), 800U);
  EXPECT_EQ(entry(1, 24, 4), 2U);
  EXPECT_EQ(Number(bytes, bytes.size() - 4, 4), bytes.size());
}

TEST(Mp4HeaderTest, HasTheTrackAndRoomForItsLength) {
  Mp4Track track;
  track.configuration = "parameter sets";
  track.width = 704;
  track.height = 576;
  track.pixel_width = 12;
  track.pixel_height = 11;
  track.made_unix_s = 1;
  const Mp4Header header = MakeMp4Header(track);
  const std::string entry =
      Content(header.bytes, {"moov", "trak", "mdia", "minf", "stbl", "stsd"}).substr(8);
  EXPECT_EQ(Number(entry, 8 + 24, 2), 704U);
  EXPECT_EQ(Number(entry, 8 + 26, 2), 576U);
  const std::string more = Content(entry, {"avc1"}).substr(78);
  EXPECT_EQ(Content(more, {"avcC"}), "parameter sets");
  EXPECT_EQ(Number(Content(more, {"pasp"}), 0, 4), 12U);
  const std::string track_header = Content(header.bytes, {"moov", "trak", "tkhd"});
  EXPECT_EQ(Number(track_header, track_header.size() - 8, 4), 768U << 16);
  EXPECT_EQ(Number(track_header, 4, 8), 2'082'844'801U);

  std::string ended = header.bytes;
  const std::string duration = Mp4Duration(90'000 * 60);
  ended.replace(header.duration_at, duration.size(), duration);
  EXPECT_EQ(ended.size(), header.bytes.size());
  EXPECT_EQ(Number(Content(ended, {"moov", "mvex", "mehd"}), 4, 8), 60'000U);
  EXPECT_EQ(Number(Content(ended, {"moov", "mvex", "trex"}), 4, 4), 1U);
}

}  // namespace
}  // namespace sightline
