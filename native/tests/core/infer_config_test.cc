#include "core/config/infer_config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "core/error.h"

namespace sightline {
namespace {

namespace fs = std::filesystem;

// A folder with a model, two labels and a configuration that is whole but for what a test adds.
class InferConfigTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "sightline-config-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Write("model.onnx", "x");
    Write("labels.txt", "person\nroad sign\n\n");
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).string();
  }

  static std::string Whole() {
    return "[property]\n"                                     // line 1
           "onnx-file=model.onnx\n"                           // 2
           "labelfile-path=labels.txt\n"                      // 3
           "num-detected-classes=2\n"                         // 4
           "cluster-mode=2\n"                                 // 5
           "parse-bbox-func-name=SightlineParseCenterNet\n";  // 6
  }

  // The message of loading this text, with the folder's name taken out.
  std::string Failure(const std::string& text, ErrorKind kind = ErrorKind::kSettings) {
    const std::string path = Write("det.txt", text);
    try {
      LoadInferConfig(path);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), kind) << error.what();
      std::string message = error.what();
      const std::string prefix = folder_.string() + "/";
      for (size_t at; (at = message.find(prefix)) != std::string::npos;) {
        message.erase(at, prefix.size());
      }
      return message;
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(InferConfigTest, TakesNvinfersDefaults) {
  const InferConfig config = LoadInferConfig(Write("det.txt", Whole()));
  EXPECT_EQ(config.onnx_file, (folder_ / "model.onnx").string());
  EXPECT_EQ(config.labelfile_path, (folder_ / "labels.txt").string());
  EXPECT_EQ(config.labels, (std::vector<std::string>{"person", "road sign"}));
  EXPECT_EQ(config.gie_unique_id, 15);
  EXPECT_EQ(config.batch_size, 1);
  EXPECT_EQ(config.interval, 0);
  EXPECT_EQ(config.color_format, ColorFormat::kRgb);
  EXPECT_EQ(config.net_scale_factor, 1.0);
  EXPECT_TRUE(config.offsets.empty());
  EXPECT_FALSE(config.maintain_aspect_ratio);
  EXPECT_FALSE(config.symmetric_padding);
  EXPECT_EQ(config.scaling_filter, ScalingFilter::kDefault);
  ASSERT_EQ(config.classes.size(), 2u);
  EXPECT_FLOAT_EQ(config.classes[0].pre_cluster_threshold, 0.2f);
  EXPECT_FLOAT_EQ(config.classes[0].post_cluster_threshold, 0);
  EXPECT_FLOAT_EQ(config.classes[0].nms_iou_threshold, 0.3f);
  EXPECT_EQ(config.classes[0].topk, -1);
}

TEST_F(InferConfigTest, ReadsEveryKeyAsWritten) {
  const InferConfig config = LoadInferConfig(Write(
      "det.txt",
      "# a comment\r\n[property]\r\n"
      "onnx-file = " +
          (folder_ / "model.onnx").string() +
          "\r\n"
          "labelfile-path=labels.txt\nnum-detected-classes=2\ncluster-mode=4\n"
          "parse-bbox-func-name=SightlineParseYoloV8\ncustom-lib-path=/opt/lib/"
          "libsightline_parsers.so\n"
          "gie-unique-id=3\nbatch-size=8\ninterval=2\ninfer-dims=1;480;640\nnetwork-input-order=1\n"
          "output-blob-names=a;b;\nmodel-color-format=2\nnet-scale-factor=0.00392156862\n"
          "offsets=123.5\nmaintain-aspect-ratio=1\nsymmetric-padding=true\nscaling-filter=0\n"
          "filter-out-class-ids=0;1\nprocess-mode=1\nnetwork-type=0\n"
          "\n[class-attrs-1]\npre-cluster-threshold=0.9\ntopk=3\n"
          "[class-attrs-all]\npre-cluster-threshold=0.5\npost-cluster-threshold=0.6\n"
          "nms-iou-threshold=0.45\nroi-top-offset=1\nroi-bottom-offset=2\ndetected-min-w=3\n"
          "detected-min-h=4\ndetected-max-w=5\ndetected-max-h=6\n"));
  EXPECT_EQ(config.onnx_file, (folder_ / "model.onnx").string());
  EXPECT_EQ(config.cluster_mode, ClusterMode::kNone);
  EXPECT_EQ(config.parse_bbox_func_name, "SightlineParseYoloV8");
  EXPECT_EQ(config.gie_unique_id, 3);
  EXPECT_EQ(config.batch_size, 8);
  EXPECT_EQ(config.interval, 2);
  EXPECT_EQ(config.channels, 1);
  EXPECT_EQ(config.height, 480);
  EXPECT_EQ(config.width, 640);
  EXPECT_TRUE(config.channels_last);
  EXPECT_EQ(config.output_blob_names, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(config.color_format, ColorFormat::kGray);
  EXPECT_DOUBLE_EQ(config.net_scale_factor, 0.00392156862);
  EXPECT_EQ(config.offsets, std::vector<double>{123.5});
  EXPECT_TRUE(config.maintain_aspect_ratio);
  EXPECT_TRUE(config.symmetric_padding);
  EXPECT_EQ(config.scaling_filter, ScalingFilter::kNearest);
  EXPECT_EQ(config.filter_out_class_ids, (std::vector<int>{0, 1}));
  // Class 1 has its own values over those of all, although its group stands first.
  EXPECT_FLOAT_EQ(config.classes[0].pre_cluster_threshold, 0.5f);
  EXPECT_FLOAT_EQ(config.classes[1].pre_cluster_threshold, 0.9f);
  EXPECT_EQ(config.classes[0].topk, -1);
  EXPECT_EQ(config.classes[1].topk, 3);
  const ClassAttrs& attrs = config.classes[1];
  EXPECT_FLOAT_EQ(attrs.post_cluster_threshold, 0.6f);
  EXPECT_FLOAT_EQ(attrs.nms_iou_threshold, 0.45f);
  EXPECT_EQ(attrs.roi_top_offset, 1);
  EXPECT_EQ(attrs.roi_bottom_offset, 2);
  EXPECT_EQ(attrs.detected_min_w, 3);
  EXPECT_EQ(attrs.detected_min_h, 4);
  EXPECT_EQ(attrs.detected_max_w, 5);
  EXPECT_EQ(attrs.detected_max_h, 6);
}

// A file for a GPU is read on a CPU: what only TensorRT needs is checked and noted.
TEST_F(InferConfigTest, NotesWhatOnlyTensorRtNeeds) {
  const InferConfig config = LoadInferConfig(
      Write("det.txt", Whole() + "network-mode=2\ngpu-id=3\nmodel-engine-file=/cache/m.engine\n"
                                 "workspace-size=2000\nint8-calib-file=cal.bin\nenable-dla=1\n"
                                 "use-dla-core=1\noutput-io-formats=a:fp32:chw\n"));
  EXPECT_EQ(config.without_effect,
            (std::vector<std::string>{"network-mode", "gpu-id", "model-engine-file",
                                      "workspace-size", "int8-calib-file", "enable-dla",
                                      "use-dla-core", "output-io-formats"}));
  EXPECT_TRUE(LoadInferConfig(Write("det.txt", Whole())).without_effect.empty());
}

class ClassifierConfigTest : public InferConfigTest {
 protected:
  void SetUp() override {
    InferConfigTest::SetUp();
    Write("colours.txt", "red;dark blue;white\n");
  }
  static std::string Classifier() {
    return "[property]\n"
           "onnx-file=model.onnx\n"
           "labelfile-path=colours.txt\n"
           "process-mode=2\n"
           "network-type=1\n";
  }
};

TEST_F(ClassifierConfigTest, TakesNvinfersDefaults) {
  const InferConfig config = LoadInferConfig(Write("cls.txt", Classifier()));
  EXPECT_EQ(config.network_type, NetworkType::kClassifier);
  EXPECT_EQ(config.labels, (std::vector<std::string>{"red", "dark blue", "white"}));
  EXPECT_EQ(config.classifier_threshold, 0);
  EXPECT_EQ(config.classifier_type, "");
  EXPECT_EQ(config.objects.operate_on_gie_id, -1);
  EXPECT_TRUE(config.objects.operate_on_class_ids.empty());
  EXPECT_EQ(config.objects.reinfer_interval, 2147483647);
  EXPECT_EQ(config.objects.min_width, 0);
  EXPECT_EQ(config.objects.max_height, 0);
}

TEST_F(ClassifierConfigTest, ReadsEveryKeyAsWritten) {
  const InferConfig config = LoadInferConfig(Write(
      "cls.txt", Classifier() +
                     "classifier-threshold=0.4\nclassifier-type=colour\nclassifier-async-mode=0\n"
                     "secondary-reinfer-interval=30\noperate-on-gie-id=1\n"
                     "operate-on-class-ids=2;5\ninput-object-min-width=16\n"
                     "input-object-min-height=17\ninput-object-max-width=800\n"
                     "input-object-max-height=801\nbatch-size=16\n"));
  EXPECT_FLOAT_EQ(config.classifier_threshold, 0.4f);
  EXPECT_EQ(config.classifier_type, "colour");
  EXPECT_EQ(config.objects.reinfer_interval, 30);
  EXPECT_EQ(config.objects.operate_on_gie_id, 1);
  EXPECT_EQ(config.objects.operate_on_class_ids, (std::vector<int>{2, 5}));
  EXPECT_EQ(config.objects.min_width, 16);
  EXPECT_EQ(config.objects.min_height, 17);
  EXPECT_EQ(config.objects.max_width, 800);
  EXPECT_EQ(config.objects.max_height, 801);
  EXPECT_EQ(config.batch_size, 16);
}

TEST_F(ClassifierConfigTest, RefusesWhatIsADetectors) {
  EXPECT_EQ(Failure(Classifier() + "cluster-mode=2\n"),
            "det.txt:6: [property] cluster-mode=2: only a detector (network-type=0) reads this; "
            "remove the line");
  EXPECT_EQ(Failure(Classifier() + "classifier-async-mode=1\n"),
            "det.txt:6: [property] classifier-async-mode=1: labels always come with their frame "
            "here; write 0");
  EXPECT_EQ(Failure(Classifier() + "[class-attrs-all]\n"),
            "det.txt:6: [class-attrs-all]: a classifier has no other group than [property]; remove "
            "this one");
  std::string text = Classifier();
  text.erase(text.find("process-mode=2\n"), 15);
  EXPECT_EQ(Failure(text),
            "det.txt: [property] process-mode must be 2 for a classifier: it looks at objects that "
            "a detector found");
  // The network's type counts wherever it stands.
  EXPECT_EQ(Failure("[property]\nclassifier-type=colour\n" + Classifier().substr(11)), "no error");
}

TEST_F(ClassifierConfigTest, RefusesLabelsOfAnotherForm) {
  Write("colours.txt", "red\nblue\n");
  EXPECT_EQ(Failure(Classifier()),
            "colours.txt has 2 lines; a classifier's labels stand on one line, with ; between");
  Write("colours.txt", "red;;blue\n");
  EXPECT_EQ(Failure(Classifier()), "colours.txt: label 1 is empty; remove a ; or write it");
  Write("labels.txt", "person\nroad;sign\n");
  EXPECT_EQ(Failure(Whole()),
            "labels.txt:2: the label of class 1 has a ';', which parts the labels of a classifier; "
            "take another sign");
}

TEST_F(InferConfigTest, RefusesLinesWithTheirPlace) {
  struct Case {
    const char* line;
    const char* message;
  };
  const Case cases[] = {
      {"tlt-encoded-model=a.etlt",
       "nvinfer has this key, but slinfer cannot honour it on the CPU; remove the line"},
      {"batch_size=4", "unknown key; correct it or remove the line"},
      {"batch-size=many", "a whole number is needed"},
      {"batch-size=1.5", "a whole number is needed"},
      {"batch-size=0", "a number from 1 to 1024 is needed"},
      {"interval=-1", "a number from 0 to 2147483647 is needed"},
      {"interval=99999999999999999999", "a whole number is needed"},
      {"process-mode=2",
       "detectors look at whole frames here; write process-mode=1 or remove the line"},
      {"process-mode=3", "a number from 1 to 2 is needed"},
      {"network-type=2", "only 0 (detector) and 1 (classifier) run on the CPU"},
      {"classifier-threshold=0.5",
       "only a classifier (network-type=1) reads this; remove the line"},
      {"operate-on-gie-id=1", "only a classifier (network-type=1) reads this; remove the line"},
      {"network-mode=4", "a number from 0 to 3 is needed"},
      {"gpu-id=first", "a whole number is needed"},
      {"enable-dla=on", "0 or 1 is needed"},
      {"workspace-size=0.5", "a whole number is needed"},
      {"model-engine-file=", "a value is needed"},
      {"infer-dims=3;512",
       "three numbers are needed, channels;height;width, for example 3;384;512"},
      {"infer-dims=3;0;512",
       "three numbers are needed, channels;height;width, for example 3;384;512"},
      {"model-color-format=3", "a number from 0 to 2 is needed"},
      {"net-scale-factor=0,5", "a number is needed"},
      {"net-scale-factor=nan", "a number is needed"},
      {"offsets=1;x;3", "'x' is not a number"},
      {"maintain-aspect-ratio=yes", "0 or 1 is needed"},
      {"scaling-filter=3",
       "only 0 (nearest), 1 (bilinear) and 6 (default) run on the CPU; write one of them"},
      {"output-blob-names=", "a list with ; between its items is needed"},
      {"custom-lib-path=/opt/libnvdsinfer_custom_impl_Yolo.so",
       "parsers of other libraries cannot be loaded; on the CPU those of libsightline_parsers.so "
       "are built in (remove the line, or convert the parser)"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Failure(Whole() + test.line + "\n"),
              std::string("det.txt:7: [property] ") + test.line + ": " + test.message);
  }
  EXPECT_EQ(Failure(Whole() + "filter-out-class-ids=0;cat\n"),
            "det.txt:7: [property] filter-out-class-ids=0;cat: 'cat' is not a class number; write "
            "numbers with ; between");
}

TEST_F(InferConfigTest, RefusesClassGroupLinesWithTheirPlace) {
  EXPECT_EQ(Failure(Whole() + "[class-attrs-all]\nthreshold=0.5\n"),
            "det.txt:8: [class-attrs-all] threshold=0.5: nvinfer has this key, but slinfer cannot "
            "honour it on the CPU; remove the line");
  // nvinfer's default is -1, but it takes no negative number from a file.
  EXPECT_EQ(Failure(Whole() + "[class-attrs-all]\ntopk=-1\n"),
            "det.txt:8: [class-attrs-all] topk=-1: a number from 0 to 2147483647 is needed");
  EXPECT_EQ(Failure(Whole() + "[class-attrs-0]\npre-cluster-threshold=1.5\n"),
            "det.txt:8: [class-attrs-0] pre-cluster-threshold=1.5: a number from 0 to 1 is needed");
  EXPECT_EQ(Failure(Whole() + "[class-attrs-0]\ntop-k=1\n"),
            "det.txt:8: [class-attrs-0] top-k=1: unknown key; correct it or remove the line");
  EXPECT_EQ(Failure(Whole() + "[class-attrs-2]\n"),
            "det.txt:7: [class-attrs-2]: there is no such class: num-detected-classes is 2");
  EXPECT_EQ(Failure(Whole() + "[tracker]\n"),
            "det.txt:7: [tracker]: unknown group; there are [property], [class-attrs-all] and "
            "[class-attrs-<class number>]");
}

TEST_F(InferConfigTest, RefusesWhatIsNoKeyFile) {
  EXPECT_EQ(Failure("onnx-file=model.onnx\n"),
            "det.txt:1: 'onnx-file=model.onnx' stands before the first group; start with "
            "[property]");
  EXPECT_EQ(Failure("[property\n"), "det.txt:1: '[property' is not a group; write [name]");
  EXPECT_EQ(Failure("[property]\nonnx-file\n"),
            "det.txt:2: 'onnx-file' is neither a group, a key=value nor a # comment");
  EXPECT_EQ(Failure(Whole() + "onnx-file=other.onnx\n"),
            "det.txt:7: [property] onnx-file comes twice, first in line 2; remove one");
  EXPECT_EQ(Failure(Whole() + "[property]\n"),
            "det.txt:7: group [property] comes twice, first in line 1; join the two");
  EXPECT_EQ(Failure(std::string("[a]\nb=\0c\n", 9)),
            "det.txt:2: there is a zero byte: this is not a text file");
  EXPECT_EQ(Failure(std::string(2 << 20, '#')),
            "det.txt: larger than 1 MiB: this is not a configuration file");
  EXPECT_EQ(Failure("[class-attrs-all]\n"), "det.txt: the group [property] is missing");
}

TEST_F(InferConfigTest, NamesWhatIsMissing) {
  for (const char* key : {"onnx-file", "labelfile-path", "num-detected-classes", "cluster-mode",
                          "parse-bbox-func-name"}) {
    std::string text = Whole();
    const size_t at = text.find(std::string("\n") + key) + 1;
    text.erase(at, text.find('\n', at) + 1 - at);
    EXPECT_EQ(
        Failure(text).rfind(std::string("det.txt: [property] ") + key + " is missing; write ", 0),
        0u)
        << key << ": " << Failure(text);
  }
}

TEST_F(InferConfigTest, ChecksFilesAndLabels) {
  std::string text = Whole();
  text.replace(text.find("model.onnx"), 10, "none.onnx");
  EXPECT_EQ(Failure(text, ErrorKind::kNotFound),
            "det.txt: [property] onnx-file: there is no file none.onnx; correct the path (relative "
            "paths start at the configuration's folder)");
  fs::remove(folder_ / "labels.txt");
  EXPECT_EQ(Failure(Whole(), ErrorKind::kNotFound),
            "det.txt: [property] labelfile-path: there is no file labels.txt; correct the path "
            "(relative paths start at the configuration's folder)");
  Write("labels.txt", "person\n");
  EXPECT_EQ(Failure(Whole()),
            "det.txt: [property] labelfile-path: labels.txt has 1 labels, but num-detected-classes "
            "is 2; make them equal");
  Write("labels.txt", "person\n\ncar\n");
  EXPECT_EQ(Failure(Whole()),
            "labels.txt:2: the label of class 1 is empty; write one label a line");
  EXPECT_EQ(Failure(Whole() + "offsets=1;2\n"),
            "det.txt: [property] offsets has 2 numbers; one for each of the 3 channels is needed");
}

TEST_F(InferConfigTest, RefusesFilesThatAreNotThereOrYaml) {
  try {
    LoadInferConfig((folder_ / "none.txt").string());
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_EQ(std::string(error.what()), "Cannot read the configuration " +
                                             (folder_ / "none.txt").string() +
                                             ": No such file or directory; give the path of a file "
                                             "in config-file-path");
  }
  EXPECT_THROW(LoadInferConfig(folder_.string()), Error);
  EXPECT_THROW(LoadInferConfig(Write("det.yml", "property:\n")), Error);
}

TEST(InferKeys, AreEachInOneListOnly) {
  std::set<std::string> seen;
  for (const InferKey& key : HonouredProperties()) EXPECT_TRUE(seen.insert(key.name).second);
  for (const InferKey& key : TensorRtProperties()) EXPECT_TRUE(seen.insert(key.name).second);
  for (const char* key : RefusedProperties()) EXPECT_TRUE(seen.insert(key).second) << key;
  seen.clear();
  for (const InferKey& key : HonouredClassAttrs()) EXPECT_TRUE(seen.insert(key.name).second);
  for (const char* key : RefusedClassAttrs()) EXPECT_TRUE(seen.insert(key).second) << key;
}

// Every key that is listed as honoured has a reader: a value that none takes is refused, not
// missed.
TEST_F(InferConfigTest, ReadsEveryKeyItLists) {
  for (const InferKey& key : HonouredProperties()) {
    const std::string message = Failure(std::string("[property]\n") + key.name + "=\n");
    EXPECT_EQ(message.rfind("det.txt", 0), 0u) << key.name << ": " << message;
  }
  for (const InferKey& key : TensorRtProperties()) {
    EXPECT_EQ(Failure(Whole() + key.name + "=\n")
                  .rfind(std::string("det.txt:7: [property] ") + key.name, 0),
              0u)
        << key.name;
  }
  for (const InferKey& key : HonouredClassAttrs()) {
    EXPECT_EQ(Failure(Whole() + "[class-attrs-all]\n" + key.name + "=\n")
                  .rfind(std::string("det.txt:8: [class-attrs-all] ") + key.name + "=: ", 0),
              0u)
        << key.name;
  }
}

TEST(ParseClassIds, TakesListsAndSaysWhatIsWrong) {
  EXPECT_EQ(ParseClassIds("1; 2;", "x"), (std::vector<int>{1, 2}));
  EXPECT_TRUE(ParseClassIds("", "x").empty());
  try {
    ParseClassIds("1;-2", "the property filter-out-class-ids");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "the property filter-out-class-ids=1;-2: '-2' is not a class number; write numbers "
        "with ; between");
  }
}

}  // namespace
}  // namespace sightline
