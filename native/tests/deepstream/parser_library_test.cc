#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>

#include "core/parsers/parser.h"
#include "deepstream/abi/infer.h"

namespace sightline::test {
namespace {

using Layers = std::vector<nvds::NvDsInferLayerInfo>;
using Objects = std::vector<nvds::NvDsInferObjectDetectionInfo>;
using ParseFunction = bool (*)(const Layers&, const nvds::NvDsInferNetworkInfo&,
                               const nvds::NvDsInferParseDetectionParams&, Objects&);

constexpr unsigned kWidth = 64, kHeight = 32, kClasses = 3;
constexpr float kThreshold = 0.3F;

// The library as nvinfer loads it.
void* Library() {
  static void* const library = dlopen(PARSERS_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(library, nullptr) << dlerror();
  return library;
}

ParseFunction Find(const char* symbol) {
  return reinterpret_cast<ParseFunction>(dlsym(Library(), symbol));
}

// A network's outputs, for nvinfer's library and for the core parser.
struct Outputs {
  template <class T>
  void Add(const char* name, nvds::NvDsInferDataType type, std::vector<unsigned> dims,
           std::vector<T>& values) {
    nvds::NvDsInferLayerInfo layer{};
    layer.dataType = type;
    layer.inferDims.numDims = static_cast<unsigned>(dims.size());
    unsigned count = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      layer.inferDims.d[i] = dims[i];
      count *= dims[i];
    }
    layer.inferDims.numElements = count;
    EXPECT_EQ(count, values.size());
    layer.layerName = name;
    layer.buffer = values.data();
    layers.push_back(layer);
    const bool floats = type == nvds::FLOAT || type == nvds::HALF;
    views.push_back({name, floats ? ElementType::kFloat32 : ElementType::kInt64,
                     std::vector<int64_t>(dims.begin(), dims.end()), values.data()});
  }

  bool Parse(const char* symbol, Objects* objects) const {
    const nvds::NvDsInferNetworkInfo network{kWidth, kHeight, 3};
    nvds::NvDsInferParseDetectionParams params;
    params.numClassesConfigured = kClasses;
    params.perClassPreclusterThreshold.assign(kClasses, kThreshold);
    return Find(symbol)(layers, network, params, *objects);
  }

  std::vector<Detection> ParseInCore(const char* symbol) const {
    ParserInput input;
    input.outputs = views;
    input.network_width = kWidth;
    input.network_height = kHeight;
    input.class_count = kClasses;
    input.thresholds.assign(kClasses, kThreshold);
    std::vector<Detection> detections;
    EXPECT_EQ(FindParser(symbol)->check(input), "");
    FindParser(symbol)->parse(input, detections);
    return detections;
  }

  Layers layers;
  std::vector<TensorView> views;
};

void ExpectSame(const Outputs& outputs, const char* symbol) {
  Objects objects;
  ASSERT_TRUE(outputs.Parse(symbol, &objects)) << symbol;
  const std::vector<Detection> wanted = outputs.ParseInCore(symbol);
  ASSERT_FALSE(wanted.empty());
  ASSERT_EQ(objects.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(objects[i].classId, static_cast<unsigned>(wanted[i].class_id));
    EXPECT_EQ(objects[i].left, wanted[i].left);
    EXPECT_EQ(objects[i].top, wanted[i].top);
    EXPECT_EQ(objects[i].width, wanted[i].width);
    EXPECT_EQ(objects[i].height, wanted[i].height);
    EXPECT_EQ(objects[i].detectionConfidence, wanted[i].confidence);
    EXPECT_EQ(objects[i].rotation_angle, 0);
  }
}

TEST(ParserLibraryTest, HasEveryParserOfTheRegistry) {
  for (const Parser& parser : Parsers()) EXPECT_NE(Find(parser.symbol), nullptr) << parser.symbol;
}

TEST(ParserLibraryTest, CenterNet) {
  std::vector<float> rows = {1, 2, 11, 12, 0.9F, 2, 3, 4, 30, 20, 0.5F, 0, 0, 0, 5, 5, 0.1F, 1};
  Outputs outputs;
  outputs.Add("detections", nvds::FLOAT, {3, 6}, rows);
  ExpectSame(outputs, "SightlineParseCenterNet");
}

TEST(ParserLibraryTest, YoloV8) {
  // [4 + 3 classes, 2 boxes]
  std::vector<float> values = {20, 40, 10, 16, 8, 12, 6, 10, 0.8F, 0.1F, 0.1F, 0.7F, 0.2F, 0.2F};
  Outputs outputs;
  outputs.Add("output0", nvds::FLOAT, {7, 2}, values);
  ExpectSame(outputs, "SightlineParseYoloV8");
}

TEST(ParserLibraryTest, YoloV5) {
  std::vector<float> rows = {20, 10, 8, 6, 0.9F, 0.1F, 0.8F, 0.2F,
                             40, 16, 4, 4, 0.5F, 0.9F, 0.1F, 0.1F};
  Outputs outputs;
  outputs.Add("output", nvds::FLOAT, {2, 8}, rows);
  ExpectSame(outputs, "SightlineParseYoloV5");
}

TEST(ParserLibraryTest, YoloX) {
  const unsigned cells = 8 * 4 + 4 * 2 + 2 * 1;
  std::vector<float> rows(cells * 8, 0);
  float* cell = rows.data() + 13 * 8;
  const float values[] = {0.5F, 0.25F, 0.1F, 0.2F, 0.9F, 0, 0.8F, 0};
  std::copy(std::begin(values), std::end(values), cell);
  Outputs outputs;
  outputs.Add("output", nvds::FLOAT, {cells, 8}, rows);
  ExpectSame(outputs, "SightlineParseYoloX");
}

TEST(ParserLibraryTest, Ssd) {
  std::vector<float> boxes = {0.1F, 0.2F, 0.5F, 0.6F, 0.3F, 0.3F, 0.9F, 0.9F};
  std::vector<float> scores = {0.9F, 0.6F};
  std::vector<int64_t> labels = {2, 0};
  Outputs outputs;
  outputs.Add("boxes", nvds::FLOAT, {2, 4}, boxes);
  outputs.Add("scores", nvds::FLOAT, {2}, scores);
  outputs.Add("labels", nvds::INT64, {2}, labels);
  ExpectSame(outputs, "SightlineParseSsd");

  // Older TensorRT makes the labels 32 bits wide.
  std::vector<int32_t> narrow = {2, 0};
  Outputs older;
  older.Add("boxes", nvds::FLOAT, {2, 4}, boxes);
  older.Add("scores", nvds::FLOAT, {2}, scores);
  older.Add("labels", nvds::INT32, {2}, narrow);
  Objects objects;
  ASSERT_TRUE(older.Parse("SightlineParseSsd", &objects));
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].classId, 2U);
  EXPECT_EQ(objects[1].classId, 0U);
}

TEST(ParserLibraryTest, Detr) {
  std::vector<float> boxes = {0.5F, 0.5F, 0.2F, 0.4F, 0.25F, 0.5F, 0.1F, 0.2F};
  std::vector<float> logits = {3, -3, -3, -4, 2, -2};
  Outputs outputs;
  outputs.Add("boxes", nvds::FLOAT, {2, 4}, boxes);
  outputs.Add("logits", nvds::FLOAT, {2, 3}, logits);
  ExpectSame(outputs, "SightlineParseDetr");
}

TEST(ParserLibraryTest, WidensHalfFloats) {
  // 1, 2, 11, 12, 0.5, 2 in binary16, then a box of odd values: subnormal, infinite, nan.
  std::vector<std::uint16_t> rows = {0x3C00, 0x4000, 0x4980, 0x4A00, 0x3800, 0x4000,
                                     0x0001, 0x8000, 0x7C00, 0x7E00, 0x3800, 0x0000};
  Outputs outputs;
  outputs.Add("detections", nvds::HALF, {2, 6}, rows);
  Objects objects;
  ASSERT_TRUE(outputs.Parse("SightlineParseCenterNet", &objects));
  ASSERT_EQ(objects.size(), 1U) << "a box that is not finite is none";
  EXPECT_EQ(objects[0].left, 1);
  EXPECT_EQ(objects[0].top, 2);
  EXPECT_EQ(objects[0].width, 10);
  EXPECT_EQ(objects[0].height, 10);
  EXPECT_EQ(objects[0].detectionConfidence, 0.5F);
  EXPECT_EQ(objects[0].classId, 2U);
}

TEST(ParserLibraryTest, CutsBoxesAtTheEdge) {
  std::vector<float> rows = {-6, -4,   10, 8,  0.9F, 1,  60, 30,   90,
                             50, 0.9F, 1,  70, 0,    80, 9,  0.9F, 1};
  Outputs outputs;
  outputs.Add("detections", nvds::FLOAT, {3, 6}, rows);
  Objects objects;
  ASSERT_TRUE(outputs.Parse("SightlineParseCenterNet", &objects));
  ASSERT_EQ(objects.size(), 2U) << "a box outside of the picture is none";
  EXPECT_EQ(objects[0].left, 0);
  EXPECT_EQ(objects[0].width, 10) << "cut, not moved";
  EXPECT_EQ(objects[0].height, 8);
  EXPECT_EQ(objects[1].width, 4);
  EXPECT_EQ(objects[1].height, 2);
}

TEST(ParserLibraryTest, RefusesWrongLayersOnceInWords) {
  std::vector<float> values(7 * 5);
  Outputs outputs;
  outputs.Add("output0", nvds::FLOAT, {5, 7}, values);
  Objects objects;
  testing::internal::CaptureStderr();
  EXPECT_FALSE(outputs.Parse("SightlineParseDetr", &objects));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("sightline: SightlineParseDetr: cannot read the outputs of this network "
                      "(output0 [5,7] float32)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("choose another parse-bbox-func-name"), std::string::npos) << text;
  testing::internal::CaptureStderr();
  EXPECT_FALSE(outputs.Parse("SightlineParseDetr", &objects));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "said for every frame";
  EXPECT_TRUE(objects.empty());
}

TEST(ParserLibraryTest, SurvivesWhatNoNetworkShouldGive) {
  Objects objects;
  testing::internal::CaptureStderr();
  Outputs none;
  for (const Parser& parser : Parsers()) {
    EXPECT_FALSE(none.Parse(parser.symbol, &objects)) << parser.symbol;
  }
  std::vector<std::uint8_t> bytes(6);
  Outputs narrow;
  narrow.Add("detections", nvds::UINT8, {1, 6}, bytes);
  EXPECT_FALSE(narrow.Parse("SightlineParseCenterNet", &objects));
  std::vector<float> row(6);
  Outputs broken;
  broken.Add("detections", nvds::FLOAT, {1, 6}, row);
  broken.layers[0].buffer = nullptr;
  EXPECT_FALSE(broken.Parse("SightlineParseCenterNet", &objects));
  broken.layers[0].inferDims.numDims = 4'000'000'000;
  EXPECT_FALSE(broken.Parse("SightlineParseCenterNet", &objects));
  broken.layers[0].layerName = nullptr;
  EXPECT_FALSE(broken.Parse("SightlineParseCenterNet", &objects));
  // The core parser throws: label 9 of 3 classes.
  std::vector<float> boxes = {0.1F, 0.2F, 0.5F, 0.6F};
  std::vector<float> scores = {0.9F};
  std::vector<int64_t> labels = {9};
  Outputs wrong_label;
  wrong_label.Add("boxes", nvds::FLOAT, {1, 4}, boxes);
  wrong_label.Add("scores", nvds::FLOAT, {1}, scores);
  wrong_label.Add("labels", nvds::INT64, {1}, labels);
  EXPECT_FALSE(wrong_label.Parse("SightlineParseSsd", &objects));
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("label 9"), std::string::npos) << text;
  EXPECT_TRUE(objects.empty());
  // No class at all.
  const nvds::NvDsInferNetworkInfo network{kWidth, kHeight, 3};
  nvds::NvDsInferParseDetectionParams params;
  params.numClassesConfigured = 3;
  testing::internal::CaptureStderr();
  EXPECT_FALSE(Find("SightlineParseYoloX")(wrong_label.layers, network, params, objects));
  EXPECT_NE(testing::internal::GetCapturedStderr().find("num-detected-classes"), std::string::npos);
}

}  // namespace
}  // namespace sightline::test
