#include "core/infer/letterbox.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

void ExpectPlace(const Letterbox& box, int left, int top, int width, int height) {
  EXPECT_EQ(box.left, left);
  EXPECT_EQ(box.top, top);
  EXPECT_EQ(box.width, width);
  EXPECT_EQ(box.height, height);
}

TEST(FitFrame, StretchesWithoutAspect) {
  ExpectPlace(FitFrame(1280, 720, 512, 512, false, true), 0, 0, 512, 512);
}

TEST(FitFrame, KeepsAspectAtTheTopLeft) {
  ExpectPlace(FitFrame(1280, 720, 512, 512, true, false), 0, 0, 512, 288);
  ExpectPlace(FitFrame(720, 1280, 512, 512, true, false), 0, 0, 288, 512);
}

TEST(FitFrame, KeepsAspectInTheMiddle) {
  ExpectPlace(FitFrame(1280, 720, 512, 512, true, true), 0, 112, 512, 288);
  ExpectPlace(FitFrame(720, 1280, 640, 640, true, true), 140, 0, 360, 640);
}

TEST(FitFrame, KeepsAtLeastOnePixel) {
  ExpectPlace(FitFrame(4000, 2, 64, 64, true, true), 0, 31, 64, 1);
}

TEST(Letterbox, MapsBoxesBothWays) {
  const Letterbox fit = FitFrame(1280, 720, 512, 512, true, true);
  const Detection network{51.2f, 112 + 28.8f, 102.4f, 57.6f, 0.5f, 3};
  const Detection source = fit.ToSource(network);
  EXPECT_NEAR(source.left, 128, 1e-3);
  EXPECT_NEAR(source.top, 72, 1e-3);
  EXPECT_NEAR(source.width, 256, 1e-3);
  EXPECT_NEAR(source.height, 144, 1e-3);
  EXPECT_FLOAT_EQ(source.confidence, 0.5f);
  EXPECT_EQ(source.class_id, 3);
  const Detection back = fit.ToNetwork(source);
  EXPECT_NEAR(back.left, network.left, 1e-3);
  EXPECT_NEAR(back.top, network.top, 1e-3);
  EXPECT_NEAR(back.width, network.width, 1e-3);
  EXPECT_NEAR(back.height, network.height, 1e-3);
}

// The picture's height was rounded to whole pixels: the way back uses what it became.
TEST(Letterbox, MapsTheWholePictureToTheWholeFrame) {
  const Letterbox fit = FitFrame(767, 431, 320, 320, true, true);
  const Detection whole{0, static_cast<float>(fit.top), 320, static_cast<float>(fit.height), 1, 0};
  const Detection source = fit.ToSource(whole);
  EXPECT_NEAR(source.left, 0, 1e-3);
  EXPECT_NEAR(source.top, 0, 1e-3);
  EXPECT_NEAR(source.width, 767, 1e-3);
  EXPECT_NEAR(source.height, 431, 1e-3);
}

TEST(ClipToFrame, CutsWhatIsOutside) {
  const Detection clipped = ClipToFrame({-10, -5, 30, 200, 0.5f, 1}, 100, 60);
  EXPECT_FLOAT_EQ(clipped.left, 0);
  EXPECT_FLOAT_EQ(clipped.top, 0);
  EXPECT_FLOAT_EQ(clipped.width, 20);
  EXPECT_FLOAT_EQ(clipped.height, 60);
  EXPECT_LE(ClipToFrame({120, 0, 30, 30, 0.5f, 1}, 100, 60).width, 0);
  EXPECT_LE(ClipToFrame({0, -50, 30, 30, 0.5f, 1}, 100, 60).height, 0);
}

}  // namespace
}  // namespace sightline
