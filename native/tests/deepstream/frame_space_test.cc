#include "deepstream/reader/frame_space.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sightline {
namespace {

nvds::NvDsFrameMeta Frame(guint width, guint height, guint batch_width, guint batch_height) {
  nvds::NvDsFrameMeta frame{};
  frame.source_frame_width = width;
  frame.source_frame_height = height;
  frame.pipeline_width = batch_width;
  frame.pipeline_height = batch_height;
  return frame;
}

void ExpectBox(const Box& box, float left, float top, float width, float height) {
  EXPECT_NEAR(box.left, left, 1e-3);
  EXPECT_NEAR(box.top, top, 1e-3);
  EXPECT_NEAR(box.width, width, 1e-3);
  EXPECT_NEAR(box.height, height, 1e-3);
}

TEST(FrameSpaceTest, LeavesWhatTheNewMuxerDidNotScale) {
  const FrameSpace space(Frame(2560, 1440, 0, 0), false);
  EXPECT_EQ(space.width(), 2560U);
  EXPECT_EQ(space.height(), 1440U);
  ExpectBox(space.ToSource({2000, 1400, 500, 30}), 2000, 1400, 500, 30);
}

TEST(FrameSpaceTest, UndoesStretching) {
  const FrameSpace space(Frame(704, 576, 1920, 1080), false);
  ExpectBox(space.ToSource({960, 540, 192, 108}), 352, 288, 70.4F, 57.6F);
}

TEST(FrameSpaceTest, UndoesBarsAtTheSides) {
  // 4:3 in 16:9: 1440 wide, bars of 240.
  const FrameSpace space(Frame(640, 480, 1920, 1080), true);
  ExpectBox(space.ToSource({240, 0, 1440, 1080}), 0, 0, 640, 480);
  ExpectBox(space.ToSource({960, 540, 225, 225}), 320, 240, 100, 100);
}

TEST(FrameSpaceTest, UndoesBarsAboveAndBelow) {
  // 2:1 in 16:9: 960 high, bars of 60.
  const FrameSpace space(Frame(1000, 500, 1920, 1080), true);
  ExpectBox(space.ToSource({0, 60, 1920, 960}), 0, 0, 1000, 500);
}

TEST(FrameSpaceTest, RoundsAsTheMuxerDoes) {
  // 1080 * 718 / 404 = 1919.4: even, 1918, so no bar of 0.3 but one of 0; 403 counts as 402.
  const FrameSpace tall(Frame(405, 719, 1080, 1920), true);
  ExpectBox(tall.ToSource({0, 0, 1080, 1918}), 0, 0, 405, 719);
  // 1080 * 352 / 576 = 660 and (1920 - 660) / 2 = 630.
  const FrameSpace upright(Frame(352, 576, 1920, 1080), true);
  ExpectBox(upright.ToSource({630, 0, 660, 1080}), 0, 0, 352, 576);
}

TEST(FrameSpaceTest, PaddingOfTheSameShapeIsScalingAlone) {
  const FrameSpace space(Frame(3840, 2160, 1920, 1080), true);
  ExpectBox(space.ToSource({100, 50, 10, 20}), 200, 100, 20, 40);
}

TEST(FrameSpaceTest, WorksWithoutTheSourcesSize) {
  const FrameSpace batch(Frame(0, 0, 1920, 1080), true);
  EXPECT_EQ(batch.width(), 1920U);
  ExpectBox(batch.ToSource({1, 2, 3, 4}), 1, 2, 3, 4);
  const FrameSpace nothing(Frame(0, 0, 0, 0), true);
  Box box{-5, -5, 10, 10};
  EXPECT_TRUE(nothing.Clip(&box)) << "without a size there is no edge";
  ExpectBox(box, -5, -5, 10, 10);
  const FrameSpace sliver(Frame(1, 1, 1920, 1080), true);
  ExpectBox(sliver.ToSource({1, 2, 3, 4}), 1, 2, 3, 4);
}

TEST(FrameSpaceTest, LeadsFromTheTrackersPicture) {
  const FrameSpace space(Frame(640, 480, 1920, 1080), true);
  // 960x540 is half of the batch: the bar is 120 wide there.
  const FrameSpace tracker = space.FromTracker(960, 540);
  ExpectBox(tracker.ToSource({120, 0, 720, 540}), 0, 0, 640, 480);
  ExpectBox(space.FromTracker(0, 0).ToSource({240, 0, 1440, 1080}), 0, 0, 640, 480);
  const FrameSpace unscaled(Frame(1280, 720, 0, 0), false);
  ExpectBox(unscaled.FromTracker(640, 360).ToSource({10, 20, 30, 40}), 20, 40, 60, 80);
}

TEST(FrameSpaceTest, ClipsToTheFrame) {
  const FrameSpace space(Frame(640, 480, 0, 0), false);
  Box box{-10, 470, 30, 30};
  EXPECT_TRUE(space.Clip(&box));
  ExpectBox(box, 0, 470, 20, 10);
  for (Box outside : {Box{640, 0, 5, 5}, Box{-6, 0, 5, 5}, Box{0, 480, 5, 5}, Box{0, 0, 0, 5},
                      Box{0, 0, 5, -1}, Box{0, 0, NAN, 5}, Box{NAN, 0, 5, 5}}) {
    EXPECT_FALSE(space.Clip(&outside));
  }
}

TEST(FrameSpaceTest, TurnsBoxesFurtherWhereScalingIsUneven) {
  const FrameSpace even(Frame(640, 360, 1280, 720), false);
  float degrees = 30;
  ExpectBox(even.ToSource({100, 100, 40, 20}, &degrees), 50, 50, 20, 10);
  EXPECT_EQ(degrees, 30);
  // Twice as wide, once as high: a side that ran at 45 degrees runs flatter.
  const FrameSpace wide(Frame(2000, 1000, 1000, 1000), false);
  degrees = 45;
  const Box turned = wide.ToSource({100, 100, 100, 100}, &degrees);
  EXPECT_NEAR(degrees, 26.565F, 1e-2);
  EXPECT_NEAR(turned.width, 158.11F, 1e-1);
  EXPECT_NEAR(turned.left + turned.width / 2, 300, 1e-2);
  EXPECT_NEAR(turned.top + turned.height / 2, 150, 1e-2);
  // A quarter turn: the box' width lies along the picture's height.
  degrees = 90;
  const Box upright = wide.ToSource({100, 100, 40, 20}, &degrees);
  EXPECT_NEAR(degrees, 90, 1e-3);
  EXPECT_NEAR(upright.width, 40, 1e-3);
  EXPECT_NEAR(upright.height, 40, 1e-3);
}

}  // namespace
}  // namespace sightline
