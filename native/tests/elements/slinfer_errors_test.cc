#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "tests/support/detector_files.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {
namespace {

// What the bus said: its one error, or a text that is none.
struct BusError {
  std::string text;
  GQuark domain = 0;
  int code = 0;
};

class SlInferErrorsTest : public testing::Test {
 protected:
  // The error of a detector that must refuse to start, before any frame.
  BusError Refusal(const std::string& detector) {
    TestPipeline pipeline("videotestsrc num-buffers=1 ! " + detector + " ! fakesink name=sink");
    EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    return PopOnlyError(pipeline);
  }

  BusError PopOnlyError(const TestPipeline& pipeline) {
    BusError result{"no error"};
    GstBus* bus = gst_element_get_bus(pipeline.get());
    int count = 0;
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR)) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      if (count++ == 0) result = {error->message, error->domain, error->code};
      EXPECT_STREQ(GST_MESSAGE_SRC_NAME(message), "infer");
      g_error_free(error);
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    EXPECT_EQ(count, 1);
    return result;
  }

  std::string ModelRefusal(const std::string& model, const std::string& lines = "",
                           const std::string& parser = "SightlineParseCenterNet") {
    return Refusal(files_.Launch(files_.WriteConfig(model, lines, parser))).text;
  }

  DetectorFiles files_;
};

void ExpectStart(const std::string& text, const std::string& start) {
  EXPECT_EQ(text.substr(0, start.size()), start);
}

TEST_F(SlInferErrorsTest, NoConfiguration) {
  const BusError error = Refusal("slinfer name=infer");
  EXPECT_EQ(error.text,
            "config-file-path is not set; give a configuration file in nvinfer's format");
  EXPECT_EQ(error.domain, GST_LIBRARY_ERROR);
  EXPECT_EQ(error.code, GST_LIBRARY_ERROR_SETTINGS);
}

TEST_F(SlInferErrorsTest, ConfigurationThatIsNotThere) {
  const BusError error = Refusal(files_.Launch("/nowhere/det.txt"));
  EXPECT_EQ(error.text,
            "Cannot read the configuration /nowhere/det.txt: No such file or directory; give the "
            "path of a file in config-file-path");
  EXPECT_EQ(error.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(error.code, GST_RESOURCE_ERROR_NOT_FOUND);
}

TEST_F(SlInferErrorsTest, UnsupportedKey) {
  EXPECT_EQ(ModelRefusal(FixtureModel("fixed-boxes.onnx"), "tlt-encoded-model=a.etlt"),
            files_.folder() +
                "/det.txt:7: [property] tlt-encoded-model=a.etlt: nvinfer has this key, but "
                "slinfer cannot honour it on the CPU; remove the line");
}

TEST_F(SlInferErrorsTest, LabelCountThatDoesNotMatch) {
  files_.Write("labels.txt", "person\ncar\n");
  EXPECT_EQ(ModelRefusal(FixtureModel("fixed-boxes.onnx")),
            files_.folder() + "/det.txt: [property] labelfile-path: " + files_.folder() +
                "/labels.txt has 2 labels, but num-detected-classes is 3; make them equal");
}

TEST_F(SlInferErrorsTest, MissingLabelFile) {
  std::filesystem::remove(files_.folder() + "/labels.txt");
  EXPECT_EQ(ModelRefusal(FixtureModel("fixed-boxes.onnx")),
            files_.folder() + "/det.txt: [property] labelfile-path: there is no file " +
                files_.folder() +
                "/labels.txt; correct the path (relative paths start at the configuration's "
                "folder)");
}

TEST_F(SlInferErrorsTest, UnknownParser) {
  EXPECT_EQ(ModelRefusal(FixtureModel("fixed-boxes.onnx"), "", "NvDsInferParseYolo"),
            files_.folder() +
                "/det.txt: [property] parse-bbox-func-name=NvDsInferParseYolo: there is no such "
                "parser; there are SightlineParseCenterNet, SightlineParseYoloV8, "
                "SightlineParseYoloV5, SightlineParseYoloX, SightlineParseSsd, "
                "SightlineParseDetr");
}

TEST_F(SlInferErrorsTest, ModelThatIsNotThere) {
  ExpectStart(ModelRefusal("none.onnx"), files_.folder() +
                                             "/det.txt: [property] onnx-file: there is no file " +
                                             files_.folder() + "/none.onnx; correct the path");
}

TEST_F(SlInferErrorsTest, TruncatedModel) {
  std::ifstream whole(FixtureModel("fixed-boxes.onnx"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  ASSERT_GT(bytes.size(), 200u);
  for (const size_t kept : {size_t{0}, size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
    files_.Write("cut.onnx", bytes.substr(0, kept));
    const BusError error = Refusal(files_.Launch(files_.WriteConfig("cut.onnx")));
    ExpectStart(error.text, "ONNX Runtime could not load the model " + files_.folder() +
                                "/cut.onnx (truncated, damaged or not an ONNX file?): ");
    EXPECT_EQ(error.domain, GST_STREAM_ERROR);
    EXPECT_EQ(error.code, GST_STREAM_ERROR_WRONG_TYPE);
  }
}

TEST_F(SlInferErrorsTest, ModelThatIsSomethingElse) {
  files_.Write("text.onnx", "this is not a model\n");
  ExpectStart(ModelRefusal("text.onnx"), "ONNX Runtime could not load the model ");
}

TEST_F(SlInferErrorsTest, OutputOfWrongRank) {
  const std::string model = FixtureModel("wrong-rank.onnx");
  EXPECT_EQ(ModelRefusal(model),
            "SightlineParseCenterNet cannot read the outputs of " + model +
                " (means [3] float32): its rows must be six float32 numbers. It expects one "
                "float32 output [K,6] of x1, y1, x2, y2, score, class; choose another "
                "parse-bbox-func-name or convert the model");
}

TEST_F(SlInferErrorsTest, InputOfWrongRank) {
  const std::string model = FixtureModel("input-rank3.onnx");
  EXPECT_EQ(ModelRefusal(model), "The model " + model +
                                     " has the input images [3,48,64] float32; four dimensions are "
                                     "needed, [N,C,H,W]");
}

TEST_F(SlInferErrorsTest, InputOfAnotherType) {
  const std::string model = FixtureModel("uint8-input.onnx");
  EXPECT_EQ(ModelRefusal(model),
            "The model " + model + " has the input images [?,3,48,64] uint8; float32 is needed");
}

TEST_F(SlInferErrorsTest, DimensionsThatDoNotMatch) {
  const std::string model = FixtureModel("fixed-boxes.onnx");
  EXPECT_EQ(ModelRefusal(model, "infer-dims=3;64;48"),
            "The model " + model +
                " has the input images [?,3,48,64] float32, which does not match "
                "infer-dims=3;64;48 in NCHW order");
  EXPECT_EQ(ModelRefusal(model, "network-input-order=1"),
            "The model " + model +
                " has the input images [?,3,48,64] float32; a picture has 1 or 3 channels, not 64 "
                "(is network-input-order right?)");
}

TEST_F(SlInferErrorsTest, OpenSizeWithoutDimensions) {
  const std::string model = FixtureModel("open-size.onnx");
  EXPECT_EQ(ModelRefusal(model),
            "The model " + model +
                " has the input images [?,3,?,?] float32: its size is open, so infer-dims must "
                "give it");
}

TEST_F(SlInferErrorsTest, ColoursThatDoNotMatch) {
  const std::string model = FixtureModel("fixed-boxes.onnx");
  EXPECT_EQ(ModelRefusal(model, "model-color-format=2"),
            files_.folder() +
                "/det.txt: [property] model-color-format gives 1 channel(s), but the "
                "model " +
                model + " takes 3; write 0 (RGB) or 1 (BGR) for three channels, 2 (GRAY) for one");
}

TEST_F(SlInferErrorsTest, BatchTheModelDoesNotTake) {
  const std::string model = FixtureModel("fixed-boxes-batch1.onnx");
  EXPECT_EQ(ModelRefusal(model, "batch-size=4"),
            "The model " + model +
                " has the input images [1,3,48,64] float32, a fixed batch of 1, but batch-size is "
                "4; set batch-size=1 or convert the model with an open batch dimension");
}

TEST_F(SlInferErrorsTest, OutputThatIsNotThere) {
  const std::string model = FixtureModel("fixed-boxes.onnx");
  EXPECT_EQ(
      ModelRefusal(model, "output-blob-names=boxes"),
      "output-blob-names asks for boxes, but the model " + model + " has the outputs detections");
}

TEST_F(SlInferErrorsTest, MissingLibrary) {
  const std::string config = files_.WriteConfig(FixtureModel("fixed-boxes.onnx"));
  const BusError error = Refusal(
      "slinfer name=infer onnxruntime-library=/nowhere/libort.so "
      "config-file-path=" +
      config);
  EXPECT_EQ(error.text,
            "Cannot load ONNX Runtime from /nowhere/libort.so: /nowhere/libort.so: cannot open "
            "shared object file: No such file or directory; set the property onnxruntime-library "
            "or the environment variable SIGHTLINE_ONNXRUNTIME to the libonnxruntime.so.1 of the "
            "npm package onnxruntime-node");
  EXPECT_EQ(error.domain, GST_RESOURCE_ERROR);
  EXPECT_EQ(error.code, GST_RESOURCE_ERROR_NOT_FOUND);
}

TEST_F(SlInferErrorsTest, LibraryThatIsSomethingElseOrTooOld) {
  const std::string config = files_.WriteConfig(FixtureModel("fixed-boxes.onnx"));
  const BusError other = Refusal(
      "slinfer name=infer onnxruntime-library=libm.so.6 "
      "config-file-path=" +
      config);
  ExpectStart(other.text, "libm.so.6 is not ONNX Runtime: it has no OrtGetApiBase; set the ");
  EXPECT_EQ(other.domain, GST_LIBRARY_ERROR);
  EXPECT_EQ(other.code, GST_LIBRARY_ERROR_INIT);
  const BusError old = Refusal(
      "slinfer name=infer onnxruntime-library=" OLD_ONNXRUNTIME " config-file-path=" + config);
  ExpectStart(old.text, "ONNX Runtime 1.4.0 in " OLD_ONNXRUNTIME
                        " cannot be used: 1.17 or newer is needed; set the ");
}

TEST_F(SlInferErrorsTest, GpuThatIsRequiredAndNotThere) {
  const std::string model = FixtureModel("fixed-boxes.onnx");
  const std::string config = files_.WriteConfig(model);
  TestPipeline pipeline("videotestsrc num-buffers=1 ! " +
                        files_.Launch(config, "execution-provider=tensorrt gpu-required=true") +
                        "gpu-id=1 ! fakesink");
  EXPECT_EQ(gst_element_set_state(pipeline.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
  GstBus* bus = gst_element_get_bus(pipeline.get());
  GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  ASSERT_NE(message, nullptr);
  GError* error = nullptr;
  const GstStructure* details = nullptr;
  gst_message_parse_error(message, &error, nullptr);
  gst_message_parse_error_details(message, &details);
  const std::string text = error->message;
  ExpectStart(text, "The model " + model + " cannot run on GPU 1 with ONNX Runtime ");
  EXPECT_NE(text.find(": TensorrtExecutionProvider: "), std::string::npos) << text;
  EXPECT_NE(text.find("; CUDAExecutionProvider: "), std::string::npos) << text;
  EXPECT_TRUE(g_error_matches(error, GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_INIT));
  ASSERT_NE(details, nullptr);
  EXPECT_STREQ(gst_structure_get_string(details, "sl-code"), "SL_GPU_UNAVAILABLE");
  g_error_free(error);
  gst_message_unref(message);
}

TEST_F(SlInferErrorsTest, ClassBeyondTheLabelsAtTheFirstFrame) {
  files_.Write("labels.txt", "person\n");
  std::string config = files_.WriteConfig(FixtureModel("fixed-boxes.onnx"));
  std::ifstream in(config);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  text.replace(text.find("num-detected-classes=3"), 22, "num-detected-classes=1");
  config = files_.Write("one.txt", text);
  TestPipeline pipeline("videotestsrc num-buffers=1 ! " + files_.Launch(config) + " ! fakesink");
  EXPECT_EQ(pipeline.RunToEnd(),
            "the model gave class 1.000000, but there are only 1 classes; make "
            "num-detected-classes and the labels those of the model");
}

TEST_F(SlInferErrorsTest, StartsOnceItIsMended) {
  TestPipeline pipeline("videotestsrc num-buffers=1 ! " + files_.Launch("/nowhere/det.txt") +
                        " ! fakesink");
  EXPECT_FALSE(pipeline.SetState(GST_STATE_PLAYING));
  PopOnlyError(pipeline);
  EXPECT_TRUE(pipeline.SetState(GST_STATE_NULL));
  const std::string config = files_.WriteConfig(FixtureModel("fixed-boxes.onnx"));
  g_object_set(pipeline.Find("infer").get(), "config-file-path", config.c_str(), nullptr);
  EXPECT_EQ(pipeline.RunToEnd(), "");
}

}  // namespace
}  // namespace sightline::test
