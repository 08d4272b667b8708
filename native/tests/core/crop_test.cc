#include "core/infer/crop.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

// A picture of 4x3 pixels in BGRx whose red channel is 10 * y + x.
struct Ramp {
  Ramp() {
    for (int i = 0; i < 12; ++i) bytes[4 * i + 2] = static_cast<uint8_t>(10 * (i / 4) + i % 4);
    view.data = bytes;
    view.row_bytes = 16;
    view.width = 4;
    view.height = 3;
    view.pixel_bytes = 4;
    view.channel_at[0] = 2;
    view.channel_at[2] = 0;
  }
  uint8_t bytes[48] = {};
  PixelView view;
};

NetworkInput InputOf(std::vector<float>& values, int width, int height, int channels = 1) {
  values.assign(static_cast<size_t>(width * height * channels), -1);
  NetworkInput input;
  input.data = values.data();
  input.width = width;
  input.height = height;
  input.channels = channels;
  return input;
}

TEST(CropScaler, CopiesPixelsOfTheSameSize) {
  const Ramp ramp;
  std::vector<float> values;
  const NetworkInput input = InputOf(values, 2, 2);
  CropScaler(ScalingFilter::kLinear).Write(ramp.view, {1, 1, 2, 2}, 2, 2, {}, input);
  EXPECT_EQ(values, (std::vector<float>{11, 12, 21, 22}));
}

TEST(CropScaler, MapsMiddlesOfPixelsAndReadsNothingOutside) {
  const Ramp ramp;
  std::vector<float> values;
  const NetworkInput input = InputOf(values, 4, 1);
  // Two pixels, 1 and 2, over four: their middles lie at 0.5 and 1.5 of the result's 4.
  CropScaler(ScalingFilter::kDefault).Write(ramp.view, {1, 0, 2, 1}, 4, 1, {}, input);
  EXPECT_EQ(values, (std::vector<float>{1, 1.25F, 1.75F, 2}));
  CropScaler(ScalingFilter::kNearest).Write(ramp.view, {1, 0, 2, 1}, 4, 1, {}, input);
  EXPECT_EQ(values, (std::vector<float>{1, 1, 2, 2}));
}

TEST(CropScaler, ScalesDownBetweenTheTwoNearest) {
  const Ramp ramp;
  std::vector<float> values;
  const NetworkInput input = InputOf(values, 2, 1);
  CropScaler(ScalingFilter::kLinear).Write(ramp.view, {0, 0, 4, 3}, 2, 1, {}, input);
  EXPECT_EQ(values, (std::vector<float>{10.5F, 12.5F}));
}

TEST(CropScaler, WritesPlanesOrPixelsWithScaleAndMeanAtItsPlace) {
  const Ramp ramp;
  Normalisation normalisation;
  normalisation.scale = 2;
  normalisation.mean[0] = 1;
  normalisation.mean[2] = 5;
  std::vector<float> values;
  NetworkInput input = InputOf(values, 2, 1, 3);
  input.left = 1;
  CropScaler scaler(ScalingFilter::kLinear);
  scaler.Write(ramp.view, {3, 2, 1, 1}, 1, 1, normalisation, input);
  EXPECT_EQ(values, (std::vector<float>{-1, 44, -1, 0, -1, -10}));
  input = InputOf(values, 2, 1, 3);
  input.left = 1;
  input.channels_last = true;
  scaler.Write(ramp.view, {3, 2, 1, 1}, 1, 1, normalisation, input);
  EXPECT_EQ(values, (std::vector<float>{-1, -1, -1, 44, 0, -10}));
}

TEST(TouchedPixels, AreTheWholePixelsOfABoxInsideThePicture) {
  const auto rect = [](const Detection& box) { return TouchedPixels(box, 100, 50); };
  PixelRect touched = rect({10.5F, 4.2F, 10, 10, 1, 0});
  EXPECT_EQ(touched.left, 10);
  EXPECT_EQ(touched.top, 4);
  EXPECT_EQ(touched.width, 11);
  EXPECT_EQ(touched.height, 11);
  touched = rect({-20, 40, 500, 500, 1, 0});
  EXPECT_EQ(touched.left, 0);
  EXPECT_EQ(touched.width, 100);
  EXPECT_EQ(touched.height, 10);
  EXPECT_EQ(rect({100, 0, 10, 10, 1, 0}).width, 0);
  EXPECT_EQ(rect({-30, 0, 10, 10, 1, 0}).width, 0);
}

}  // namespace
}  // namespace sightline
