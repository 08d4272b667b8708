#include "core/codec/picture_kind.h"

#include <gtest/gtest.h>

#include <vector>

namespace sightline {
namespace {

using Bytes = std::vector<uint8_t>;

bool Is(VideoCodec codec, const Bytes& bytes, int length_bytes) {
  return IsNonReference(codec, bytes.data(), bytes.size(), length_bytes);
}

TEST(PictureKindTest, H264SaysItInNalRefIdc) {
  // Behind an access unit delimiter and an SEI, which are no slices.
  const Bytes reference = {0, 0, 0, 1, 0x09, 0x30, 0, 0, 1, 0x06, 5, 0, 0, 1, 0x41, 0x9a};
  Bytes disposable = reference;
  disposable[14] = 0x01;
  EXPECT_FALSE(Is(VideoCodec::kH264, reference, 0));
  EXPECT_TRUE(Is(VideoCodec::kH264, disposable, 0));
  EXPECT_FALSE(Is(VideoCodec::kOther, disposable, 0));
}

TEST(PictureKindTest, H265SaysItInTheNalType) {
  for (const auto& [type, non_reference] : {std::pair{0, true},
                                            {1, false},
                                            {8, true},
                                            {9, false},
                                            {14, true},
                                            {16, false},
                                            {19, false},
                                            {20, false},
                                            {21, false}}) {
    const Bytes unit = {0, 0, 1, static_cast<uint8_t>(type << 1), 1, 0xaf};
    EXPECT_EQ(Is(VideoCodec::kH265, unit, 0), non_reference) << type;
  }
}

TEST(PictureKindTest, LengthsOfEverySizeAreFollowed) {
  for (int bytes = 1; bytes <= 4; ++bytes) {
    Bytes unit(static_cast<size_t>(bytes), 0);
    unit[unit.size() - 1] = 2;
    unit.insert(unit.end(), {0x06, 5});
    Bytes second(static_cast<size_t>(bytes), 0);
    second[second.size() - 1] = 3;
    unit.insert(unit.end(), second.begin(), second.end());
    unit.insert(unit.end(), {0x01, 0x9a, 0});
    EXPECT_TRUE(Is(VideoCodec::kH264, unit, bytes)) << bytes;
    unit[unit.size() - 3] = 0x61;
    EXPECT_FALSE(Is(VideoCodec::kH264, unit, bytes)) << bytes;
  }
}

TEST(PictureKindTest, WhatCannotBeReadIsNeeded) {
  for (const Bytes& unit : {Bytes{}, Bytes{0}, Bytes{0, 0, 1}, Bytes{0, 0, 0, 0}, Bytes{0, 0, 0, 1},
                            Bytes{0, 0, 0, 9, 1}, Bytes{0xff, 0xff, 0xff, 0xff, 1}}) {
    for (const int length_bytes : {0, 4}) {
      EXPECT_FALSE(Is(VideoCodec::kH264, unit, length_bytes)) << unit.size() << length_bytes;
      EXPECT_FALSE(Is(VideoCodec::kH265, unit, length_bytes)) << unit.size() << length_bytes;
    }
  }
}

TEST(PictureKindTest, CodecDataTellsTheSizeOfLengths) {
  const Bytes avc = {1, 0x4d, 0x40, 0x1f, 0xff, 0xe1};
  EXPECT_EQ(NalLengthBytes(VideoCodec::kH264, avc.data(), avc.size()), 4);
  EXPECT_EQ(NalLengthBytes(VideoCodec::kH264, avc.data(), 4), 0);
  Bytes hevc(23, 0);
  hevc[21] = 0xfd;
  EXPECT_EQ(NalLengthBytes(VideoCodec::kH265, hevc.data(), hevc.size()), 2);
  EXPECT_EQ(NalLengthBytes(VideoCodec::kOther, hevc.data(), hevc.size()), 0);
}

}  // namespace
}  // namespace sightline
