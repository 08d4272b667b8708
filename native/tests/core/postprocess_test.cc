#include "core/infer/postprocess.h"

#include <gtest/gtest.h>

#include "core/error.h"

namespace sightline {
namespace {

class PostprocessTest : public testing::Test {
 protected:
  PostprocessTest() {
    config_.path = "det.txt";
    config_.onnx_file = "det.onnx";
    config_.parse_bbox_func_name = "SightlineParseCenterNet";
    config_.num_detected_classes = 2;
    config_.classes.resize(2);
  }

  // Rows of x1, y1, x2, y2, score, class on a 100x100 network that a 200x100 frame is stretched on.
  std::vector<Detection> Run(const std::vector<float>& rows) {
    const TensorView output{"detections",
                            ElementType::kFloat32,
                            {static_cast<int64_t>(rows.size() / 6), 6},
                            rows.data()};
    Postprocessor postprocessor(config_);
    postprocessor.CheckOutputs({output}, 100, 100);
    return postprocessor.Process({output}, FitFrame(200, 100, 100, 100, false, false));
  }

  InferConfig config_;
};

TEST_F(PostprocessTest, SortsMapsAndClips) {
  config_.cluster_mode = ClusterMode::kNone;
  const auto boxes = Run({10, 10, 20, 30, 0.5f, 0, -5, 90, 15, 120, 0.75f, 1});
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_FLOAT_EQ(boxes[0].left, 0);
  EXPECT_FLOAT_EQ(boxes[0].top, 90);
  EXPECT_FLOAT_EQ(boxes[0].width, 30);
  EXPECT_FLOAT_EQ(boxes[0].height, 10);
  EXPECT_FLOAT_EQ(boxes[1].left, 20);
  EXPECT_FLOAT_EQ(boxes[1].width, 20);
}

TEST_F(PostprocessTest, SuppressesOnlyWhenAsked) {
  const std::vector<float> rows = {10, 10, 30, 30, 0.9f, 0, 11, 10, 31, 30, 0.8f, 0};
  EXPECT_EQ(Run(rows).size(), 1u);
  config_.classes[0].nms_iou_threshold = 0.99f;
  EXPECT_EQ(Run(rows).size(), 2u);
  config_.classes[0].nms_iou_threshold = 0;
  config_.cluster_mode = ClusterMode::kNone;
  EXPECT_EQ(Run(rows).size(), 2u);
}

TEST_F(PostprocessTest, KeepsTheBestOfEachClass) {
  config_.cluster_mode = ClusterMode::kNone;
  config_.classes[0].topk = 1;
  config_.classes[1].post_cluster_threshold = 0.5f;
  const auto boxes = Run({0,  0, 10, 10, 0.4f, 0, 20, 0, 30, 10, 0.6f, 0,  //
                          40, 0, 50, 10, 0.4f, 1, 60, 0, 70, 10, 0.5f, 1});
  ASSERT_EQ(boxes.size(), 2u);
  EXPECT_FLOAT_EQ(boxes[0].left, 40);
  EXPECT_FLOAT_EQ(boxes[1].left, 120);
  config_.classes[0].topk = 0;
  EXPECT_EQ(Run({0, 0, 10, 10, 0.4f, 0}).size(), 0u);
}

TEST_F(PostprocessTest, FiltersBySizeInSourcePixels) {
  const std::vector<float> row = {10, 10, 20, 30, 0.9f, 0};  // 20x20 on the frame
  ClassAttrs& attrs = config_.classes[0];
  attrs.detected_min_w = attrs.detected_min_h = attrs.detected_max_w = attrs.detected_max_h = 20;
  EXPECT_EQ(Run(row).size(), 1u);
  attrs.detected_min_w = 21;
  EXPECT_EQ(Run(row).size(), 0u);
  attrs = {};
  attrs.detected_min_h = 21;
  EXPECT_EQ(Run(row).size(), 0u);
  attrs = {};
  attrs.detected_max_w = 19;
  EXPECT_EQ(Run(row).size(), 0u);
  attrs = {};
  attrs.detected_max_h = 19;
  EXPECT_EQ(Run(row).size(), 0u);
}

TEST_F(PostprocessTest, FiltersByRegion) {
  const std::vector<float> row = {10, 10, 20, 30, 0.9f, 0};
  ClassAttrs& attrs = config_.classes[0];
  attrs.roi_top_offset = 10;
  attrs.roi_bottom_offset = 70;
  EXPECT_EQ(Run(row).size(), 1u);
  attrs.roi_top_offset = 11;
  EXPECT_EQ(Run(row).size(), 0u);
  attrs.roi_top_offset = 0;
  attrs.roi_bottom_offset = 71;
  EXPECT_EQ(Run(row).size(), 0u);
}

TEST_F(PostprocessTest, FiltersOutClasses) {
  config_.filter_out_class_ids = {1};
  const auto boxes = Run({10, 10, 20, 30, 0.9f, 1, 10, 10, 20, 30, 0.8f, 0});
  ASSERT_EQ(boxes.size(), 1u);
  EXPECT_EQ(boxes[0].class_id, 0);
}

TEST_F(PostprocessTest, NamesTheParserTheOutputsAndTheWayOut) {
  Postprocessor postprocessor(config_);
  const TensorView output{"out", ElementType::kFloat32, {100, 7}, nullptr};
  try {
    postprocessor.CheckOutputs({output}, 100, 100);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "SightlineParseCenterNet cannot read the outputs of det.onnx (out [100,7] "
                 "float32): its rows must be six float32 numbers. It expects one float32 output "
                 "[K,6] of x1, y1, x2, y2, score, class; choose another parse-bbox-func-name or "
                 "convert the model");
    EXPECT_EQ(error.kind(), ErrorKind::kModel);
  }
}

TEST_F(PostprocessTest, RefusesUnknownParsersAndClasses) {
  config_.filter_out_class_ids = {2};
  EXPECT_THROW(Postprocessor{config_}, Error);
  config_.filter_out_class_ids = {};
  config_.parse_bbox_func_name = "NvDsInferParseCustomSSD";
  EXPECT_THROW(Postprocessor{config_}, Error);
}

}  // namespace
}  // namespace sightline
