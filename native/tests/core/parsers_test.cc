#include <gtest/gtest.h>

#include <cmath>

#include "core/error.h"
#include "core/parsers/parser.h"

namespace sightline {
namespace {

TensorView Floats(const char* name, std::vector<int64_t> dims, const std::vector<float>& values) {
  return {name, ElementType::kFloat32, std::move(dims), values.data()};
}

TensorView Integers(const char* name, std::vector<int64_t> dims,
                    const std::vector<int64_t>& values) {
  return {name, ElementType::kInt64, std::move(dims), values.data()};
}

TensorView Shape(const char* name, std::vector<int64_t> dims) {
  return {name, ElementType::kFloat32, std::move(dims), nullptr};
}

ParserInput Input(std::vector<TensorView> outputs, int class_count, float threshold = 0.3f,
                  int width = 64, int height = 32) {
  ParserInput input;
  input.outputs = std::move(outputs);
  input.network_width = width;
  input.network_height = height;
  input.class_count = class_count;
  input.thresholds.assign(static_cast<size_t>(class_count), threshold);
  return input;
}

std::vector<Detection> Parse(const char* symbol, const ParserInput& input) {
  const Parser* parser = FindParser(symbol);
  EXPECT_EQ(parser->check(input), "");
  std::vector<Detection> detections;
  parser->parse(input, detections);
  return detections;
}

std::string Check(const char* symbol, const ParserInput& input) {
  return FindParser(symbol)->check(input);
}

void ExpectBox(const Detection& box, float left, float top, float width, float height,
               float confidence, int class_id) {
  EXPECT_FLOAT_EQ(box.left, left);
  EXPECT_FLOAT_EQ(box.top, top);
  EXPECT_FLOAT_EQ(box.width, width);
  EXPECT_FLOAT_EQ(box.height, height);
  EXPECT_FLOAT_EQ(box.confidence, confidence);
  EXPECT_EQ(box.class_id, class_id);
}

TEST(Parsers, AreFoundBySymbolOnly) {
  EXPECT_EQ(FindParser("SightlineParseYolo"), nullptr);
  EXPECT_EQ(ListParsers(),
            "SightlineParseCenterNet, SightlineParseYoloV8, SightlineParseYoloV5, "
            "SightlineParseYoloX, SightlineParseSsd, SightlineParseDetr");
}

TEST(CenterNet, ReadsCornersAndSkipsWeakFillersAndEmptyBoxes) {
  const std::vector<float> rows = {
      10,  5,  30, 20, 0.9f,  1,   // kept
      -4,  -2, 70, 40, 0.3f,  0,   // kept: at the threshold, outside the picture
      10,  5,  30, 20, 0.29f, 1,   // below the threshold
      10,  5,  10, 20, 0.9f,  1,   // no width
      10,  20, 30, 5,  0.9f,  1,   // upside down
      10,  5,  30, 20, NAN,   1,   // not a score
      NAN, 5,  30, 20, 0.9f,  1,   // not a box
      0,   0,  0,  0,  0,     99,  // filler
  };
  const auto boxes =
      Parse("SightlineParseCenterNet", Input({Floats("detections", {8, 6}, rows)}, 2));
  ASSERT_EQ(boxes.size(), 2u);
  ExpectBox(boxes[0], 10, 5, 20, 15, 0.9f, 1);
  ExpectBox(boxes[1], -4, -2, 74, 42, 0.3f, 0);
}

TEST(CenterNet, UsesEachClassThreshold) {
  const std::vector<float> rows = {0, 0, 4, 4, 0.5f, 0, 0, 0, 4, 4, 0.5f, 1};
  ParserInput input = Input({Floats("detections", {2, 6}, rows)}, 2);
  input.thresholds = {0.6f, 0.4f};
  const auto boxes = Parse("SightlineParseCenterNet", input);
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].class_id, 1);
}

TEST(CenterNet, FailsOnAClassTheLabelsDoNotHave) {
  const std::vector<float> rows = {10, 5, 30, 20, 0.9f, 2};
  const ParserInput input = Input({Floats("detections", {1, 6}, rows)}, 2);
  std::vector<Detection> detections;
  try {
    FindParser("SightlineParseCenterNet")->parse(input, detections);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the model gave class 2.000000, but there are only 2 classes; make "
                 "num-detected-classes and the labels those of the model");
  }
}

TEST(CenterNet, RefusesOtherShapes) {
  EXPECT_EQ(Check("SightlineParseCenterNet", Input({Shape("a", {100, 7})}, 2)),
            "its rows must be six float32 numbers");
  EXPECT_EQ(Check("SightlineParseCenterNet", Input({Shape("a", {600})}, 2)),
            "its rows must be six float32 numbers");
  EXPECT_EQ(Check("SightlineParseCenterNet", Input({Shape("a", {100, 6}), Shape("b", {1})}, 2)),
            "there must be exactly one output");
}

TEST(YoloV8, ReadsClassMajorScores) {
  // Three candidates; rows are x, y, w, h, class 0, class 1.
  const std::vector<float> rows = {20,   40,   10,     //
                                   10,   12,   10,     //
                                   8,    6,    4,      //
                                   4,    2,    4,      //
                                   0.2f, 0.9f, 0.29f,  //
                                   0.8f, 0.1f, 0.1f};
  const auto boxes = Parse("SightlineParseYoloV8", Input({Floats("output0", {6, 3}, rows)}, 2));
  ASSERT_EQ(boxes.size(), 2u);
  ExpectBox(boxes[0], 16, 8, 8, 4, 0.8f, 1);
  ExpectBox(boxes[1], 37, 11, 6, 2, 0.9f, 0);
}

TEST(YoloV8, ReadsCandidatesBeyondOneBlock) {
  constexpr int64_t kCount = 8400;
  std::vector<float> rows(5 * kCount, 0.0f);
  for (const int64_t at : {0, 255, 256, 8399}) {
    rows[static_cast<size_t>(at)] = static_cast<float>(at);
    rows[static_cast<size_t>(2 * kCount + at)] = 2;
    rows[static_cast<size_t>(3 * kCount + at)] = 2;
    rows[static_cast<size_t>(4 * kCount + at)] = 0.5f;
  }
  const auto boxes = Parse("SightlineParseYoloV8", Input({Floats("o", {5, kCount}, rows)}, 1));
  ASSERT_EQ(boxes.size(), 4u);
  ExpectBox(boxes[0], -1, -1, 2, 2, 0.5f, 0);
  ExpectBox(boxes[1], 254, -1, 2, 2, 0.5f, 0);
  ExpectBox(boxes[2], 255, -1, 2, 2, 0.5f, 0);
  ExpectBox(boxes[3], 8398, -1, 2, 2, 0.5f, 0);
}

TEST(YoloV8, SaysWhatIsWrongWithTheShape) {
  EXPECT_EQ(Check("SightlineParseYoloV8", Input({Shape("o", {84, 8400})}, 79)),
            "for 79 classes its first dimension must be 83");
  EXPECT_EQ(Check("SightlineParseYoloV8", Input({Shape("o", {8400, 84})}, 80)),
            "for 80 classes its first dimension must be 84 (this one is transposed)");
  EXPECT_EQ(Check("SightlineParseYoloV8", Input({Shape("o", {25200, 85})}, 80)),
            "for 80 classes its first dimension must be 84 (this one is in YOLOv5's form)");
}

TEST(YoloV5, MultipliesObjectnessAndClass) {
  const std::vector<float> rows = {
      20, 10, 8, 4, 0.8f, 0.25f, 0.75f,  // 0.6, class 1
      40, 12, 6, 2, 0.5f, 0.5f,  0.1f,   // 0.25: too weak
      40, 12, 6, 2, 0.2f, 1.0f,  1.0f,   // objectness alone is too weak
      40, 12, 6, 2, 1.0f, 0.5f,  0.5f,   // 0.5, the first of equals
  };
  const auto boxes = Parse("SightlineParseYoloV5", Input({Floats("output0", {4, 7}, rows)}, 2));
  ASSERT_EQ(boxes.size(), 2u);
  ExpectBox(boxes[0], 16, 8, 8, 4, 0.8f * 0.75f, 1);
  ExpectBox(boxes[1], 37, 11, 6, 2, 0.5f, 0);
}

TEST(YoloV5, SaysWhatIsWrongWithTheShape) {
  EXPECT_EQ(Check("SightlineParseYoloV5", Input({Shape("o", {84, 8400})}, 80)),
            "for 80 classes its last dimension must be 85 (this one is in YOLOv8's form)");
  EXPECT_EQ(Check("SightlineParseYoloV5", Input({Shape("o", {3, 80, 80, 85})}, 80)),
            "for 80 classes its last dimension must be 85");
}

TEST(YoloX, DecodesEachStridesGrid) {
  // 64x32: 8x4 cells of 8 pixels, 4x2 of 16, 2x1 of 32.
  constexpr int kRows = 32 + 8 + 2;
  std::vector<float> rows(kRows * 6, 0.0f);
  const auto set = [&](int row, std::vector<float> values) {
    std::copy(values.begin(), values.end(), rows.begin() + row * 6);
  };
  set(8 + 3, {0.5f, 0.25f, 0, 0, 0.8f, 0.5f});                        // stride 8, x 3, y 1
  set(32 + 4 + 2, {0, 0, std::log(2.0f), std::log(3.0f), 1, 0.75f});  // stride 16, x 2, y 1
  set(40 + 1, {0.5f, 0.5f, 0, 0, 0.9f, 1});                           // stride 32, x 1, y 0
  const auto boxes = Parse("SightlineParseYoloX", Input({Floats("output", {kRows, 6}, rows)}, 1));
  ASSERT_EQ(boxes.size(), 3u);
  ExpectBox(boxes[0], 28 - 4, 10 - 4, 8, 8, 0.4f, 0);
  ExpectBox(boxes[1], 32 - 16, 16 - 24, 32, 48, 0.75f, 0);
  ExpectBox(boxes[2], 48 - 16, 16 - 16, 32, 32, 0.9f, 0);
}

TEST(YoloX, RefusesRowsThatAreNoGrid) {
  EXPECT_EQ(Check("SightlineParseYoloX", Input({Shape("o", {41, 6})}, 1)),
            "41 rows are not the cells of strides 8, 16 and 32 (and 64) on 64x32 pixels");
  EXPECT_EQ(Check("SightlineParseYoloX", Input({Shape("o", {42, 85})}, 1)),
            "for 1 classes its last dimension must be 6");
  EXPECT_EQ(Check("SightlineParseYoloX", Input({Shape("o", {8500, 85})}, 80, 0.3f, 640, 640)),
            "");  // with stride 64
}

TEST(Ssd, SkipsTheBackgroundColumn) {
  const std::vector<float> boxes = {0.25f, 0.25f, 0.5f, 0.75f, 0, 0, 1, 1};
  const std::vector<float> scores = {0.1f, 0.2f, 0.7f, 0.9f, 0.05f, 0.05f};
  const auto found =
      Parse("SightlineParseSsd",
            Input({Floats("scores", {2, 3}, scores), Floats("boxes", {2, 4}, boxes)}, 2));
  ASSERT_EQ(found.size(), 1u);
  ExpectBox(found[0], 16, 8, 16, 16, 0.7f, 1);
}

TEST(Ssd, ReadsSeveralClassesOfOneBox) {
  const std::vector<float> boxes = {0.25f, 0.25f, 0.5f, 0.75f};
  const std::vector<float> scores = {0.4f, 0.1f, 0.6f};
  const auto found = Parse("SightlineParseSsd",
                           Input({Floats("b", {1, 4}, boxes), Floats("s", {1, 3}, scores)}, 3));
  ASSERT_EQ(found.size(), 2u);
  ExpectBox(found[0], 16, 8, 16, 16, 0.4f, 0);
  ExpectBox(found[1], 16, 8, 16, 16, 0.6f, 2);
}

TEST(Ssd, TellsBoxesFromFourScoresByName) {
  const std::vector<float> boxes = {0.25f, 0.25f, 0.5f, 0.75f};
  const std::vector<float> scores = {0, 0, 0, 0.5f};
  const auto found =
      Parse("SightlineParseSsd",
            Input({Floats("scores", {1, 4}, scores), Floats("boxes", {1, 4}, boxes)}, 4));
  ASSERT_EQ(found.size(), 1u);
  ExpectBox(found[0], 16, 8, 16, 16, 0.5f, 3);
}

TEST(Ssd, ReadsWholeNumberLabels) {
  const std::vector<float> boxes = {0.25f, 0.25f, 0.5f, 0.75f, 0, 0, 1, 1};
  const std::vector<int64_t> labels = {1, 0};
  const std::vector<float> scores = {0.5f, 0.2f};
  const auto found =
      Parse("SightlineParseSsd", Input({Floats("boxes", {2, 4}, boxes), Integers("l", {2}, labels),
                                        Floats("scores", {2}, scores)},
                                       2));
  ASSERT_EQ(found.size(), 1u);
  ExpectBox(found[0], 16, 8, 16, 16, 0.5f, 1);
}

TEST(Ssd, SaysWhatIsWrongWithTheShape) {
  EXPECT_EQ(
      Check("SightlineParseSsd", Input({Shape("boxes", {10, 4}), Shape("scores", {10, 6})}, 3)),
      "for 10 boxes and 3 classes the scores must be [10,3] or [10,4]");
  EXPECT_EQ(Check("SightlineParseSsd", Input({Shape("boxes", {10, 4})}, 3)),
            "boxes [N,4] and their scores must be the outputs (choose them with "
            "output-blob-names)");
  EXPECT_EQ(Check("SightlineParseSsd",
                  Input({Shape("boxes", {10, 4}), Shape("scores", {9}), Shape("labels", {10})}, 3)),
            "beside the boxes there must be scores [N] and labels [N] of as many rows");
}

TEST(Detr, TakesSoftmaxWithANoObjectColumn) {
  const std::vector<float> logits = {std::log(6.0f),
                                     std::log(1.0f),
                                     std::log(3.0f),  // 0.6
                                     0,
                                     0,
                                     10};  // no object
  const std::vector<float> boxes = {0.5f, 0.5f, 0.25f, 0.5f, 0.5f, 0.5f, 1, 1};
  const auto found =
      Parse("SightlineParseDetr",
            Input({Floats("logits", {2, 3}, logits), Floats("pred_boxes", {2, 4}, boxes)}, 2));
  ASSERT_EQ(found.size(), 1u);
  ExpectBox(found[0], 24, 8, 16, 16, 0.6f, 0);
}

TEST(Detr, TakesSigmoidWithoutOne) {
  const std::vector<float> logits = {-5, 0, std::log(3.0f)};
  const std::vector<float> boxes = {0.5f, 0.5f, 0.25f, 0.5f};
  const auto found = Parse("SightlineParseDetr",
                           Input({Floats("b", {1, 4}, boxes), Floats("l", {1, 3}, logits)}, 3));
  ASSERT_EQ(found.size(), 1u);
  ExpectBox(found[0], 24, 8, 16, 16, 0.75f, 2);
}

TEST(Detr, SaysWhatIsWrongWithTheShape) {
  EXPECT_EQ(Check("SightlineParseDetr", Input({Shape("b", {100, 4}), Shape("l", {100, 92})}, 80)),
            "for 100 boxes and 80 classes the logits must be [100,81] or [100,80]");
  EXPECT_EQ(Check("SightlineParseDetr", Input({Shape("a", {100, 5}), Shape("l", {100, 91})}, 90)),
            "no output is boxes [N,4]");
}

}  // namespace
}  // namespace sightline
