#include "core/infer/preprocess.h"

#include <gtest/gtest.h>

#include <vector>

namespace sightline {
namespace {

// 2x2 pixels of BGRx with a row of padding bytes: red is 10, 20, 30, 40; green 1 more, blue 2 more.
const std::vector<uint8_t> kBgrx = {12, 11, 10, 0, 22, 21, 20, 0, 99, 99,
                                    32, 31, 30, 0, 42, 41, 40, 0, 99, 99};

PixelView Bgrx() { return {kBgrx.data(), 10, 2, 2, 4, {2, 1, 0}}; }

TEST(WritePicture, WritesPlanesWithScaleAndMeans) {
  std::vector<float> planes(12, -1);
  NetworkInput input;
  input.data = planes.data();
  input.width = input.height = 2;
  WritePicture(Bgrx(), {0.5f, {2, 3, 4}}, input);
  EXPECT_EQ(planes, (std::vector<float>{4, 9, 14, 19, 4, 9, 14, 19, 4, 9, 14, 19}));
}

TEST(WritePicture, WritesChannelsLast) {
  std::vector<float> values(12, -1);
  NetworkInput input;
  input.data = values.data();
  input.width = input.height = 2;
  input.channels_last = true;
  WritePicture(Bgrx(), {}, input);
  EXPECT_EQ(values, (std::vector<float>{10, 11, 12, 20, 21, 22, 30, 31, 32, 40, 41, 42}));
}

TEST(WritePicture, WritesBlueFirst) {
  std::vector<float> planes(12, -1);
  NetworkInput input;
  input.data = planes.data();
  input.width = input.height = 2;
  PixelView picture = Bgrx();
  picture.channel_at[0] = 0;
  picture.channel_at[2] = 2;
  WritePicture(picture, {}, input);
  EXPECT_EQ(planes, (std::vector<float>{12, 22, 32, 42, 11, 21, 31, 41, 10, 20, 30, 40}));
}

TEST(WritePicture, LeavesWhatSurroundsItsPlace) {
  for (const bool channels_last : {false, true}) {
    std::vector<float> values(12, -1);
    NetworkInput input;
    input.data = values.data();
    input.width = 3;
    input.height = 4;
    input.channels = 1;
    input.channels_last = channels_last;
    const Normalisation normalisation{2, {10, 0, 0}};
    WriteBlack(normalisation, input);
    input.left = 1;
    input.top = 2;
    const std::vector<uint8_t> gray = {1, 2, 3, 4};
    WritePicture({gray.data(), 2, 2, 2, 1, {0, 0, 0}}, normalisation, input);
    const float b = -20;
    EXPECT_EQ(values, (std::vector<float>{b, b, b, b, b, b, b, -18, -16, b, -14, -12}));
  }
}

TEST(WriteBlack, IsEachChannelsOwn) {
  std::vector<float> planes(6, -1);
  NetworkInput input;
  input.data = planes.data();
  input.width = 2;
  input.height = 1;
  WriteBlack({1, {1, 2, 3}}, input);
  EXPECT_EQ(planes, (std::vector<float>{-1, -1, -2, -2, -3, -3}));
}

// Widths around the vector size, so that the loops' tails are seen.
TEST(WritePicture, IsExactAtEveryWidthAndPixelSize) {
  for (const int pixel_bytes : {1, 3, 4}) {
    for (int width = 1; width < 70; ++width) {
      std::vector<uint8_t> pixels(static_cast<size_t>(width * pixel_bytes));
      for (size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<uint8_t>(i * 37);
      const int channels = pixel_bytes == 1 ? 1 : 3;
      std::vector<float> planes(static_cast<size_t>(width * channels));
      NetworkInput input;
      input.data = planes.data();
      input.width = width;
      input.height = 1;
      input.channels = channels;
      const Normalisation normalisation{0.00392156862f, {1.5f, 2.5f, 3.5f}};
      WritePicture({pixels.data(), pixels.size(), width, 1, pixel_bytes, {0, 1, 2}}, normalisation,
                   input);
      for (int c = 0; c < channels; ++c) {
        for (int x = 0; x < width; ++x) {
          const float pixel = pixels[static_cast<size_t>(x * pixel_bytes + c)];
          EXPECT_EQ(planes[static_cast<size_t>(c * width + x)],
                    (pixel - normalisation.mean[c]) * normalisation.scale);
        }
      }
    }
  }
}

}  // namespace
}  // namespace sightline
