#pragma once

#include <array>
#include <string>
#include <vector>

namespace sightline {

// What is kept of one class' detections; a [class-attrs-<id>] group over [class-attrs-all].
struct ClassAttrs {
  float pre_cluster_threshold = 0.2f;   // least confidence before suppression
  float post_cluster_threshold = 0.0f;  // least confidence after it
  float nms_iou_threshold = 0.3f;       // boxes that overlap a better one by more are removed
  int topk = -1;                        // best boxes kept; -1 all
  int roi_top_offset = 0;               // source pixels: boxes reaching above are dropped
  int roi_bottom_offset = 0;            // source pixels from the bottom, likewise
  int detected_min_w = 0;               // source pixels
  int detected_min_h = 0;
  int detected_max_w = 0;  // 0: no limit
  int detected_max_h = 0;
};

enum class ColorFormat { kRgb = 0, kBgr = 1, kGray = 2 };
enum class ClusterMode { kNms = 2, kNone = 4 };
enum class ScalingFilter { kNearest = 0, kLinear = 1, kDefault = 6 };
enum class NetworkType { kDetector = 0, kClassifier = 1 };

// Which objects a classifier looks at, and when again (process-mode=2).
struct ObjectFilter {
  int operate_on_gie_id = -1;             // of this component; -1: of any
  std::vector<int> operate_on_class_ids;  // empty: all
  int min_width = 0;                      // source pixels
  int min_height = 0;
  int max_width = 0;  // 0: no limit
  int max_height = 0;
  // Frames after which a tracked object is looked at again; by default never.
  int reinfer_interval = 2147483647;
};

// An nvinfer configuration file, as far as a CPU can follow it. Paths are absolute or relative to
// the working directory, no longer to the file.
struct InferConfig {
  std::string path;  // of the configuration file itself
  NetworkType network_type = NetworkType::kDetector;
  std::string onnx_file;
  std::string labelfile_path;
  std::string parse_bbox_func_name;
  std::vector<std::string> output_blob_names;  // empty: every output
  int gie_unique_id = 15;
  int batch_size = 1;
  int interval = 0;
  int channels = 0, height = 0, width = 0;  // infer-dims; 0: the model states them
  bool channels_last = false;
  ColorFormat color_format = ColorFormat::kRgb;
  double net_scale_factor = 1.0;
  std::vector<double> offsets;  // empty, or one a channel
  bool maintain_aspect_ratio = false;
  bool symmetric_padding = false;
  ScalingFilter scaling_filter = ScalingFilter::kDefault;
  int num_detected_classes = 0;
  ClusterMode cluster_mode = ClusterMode::kNms;
  std::vector<int> filter_out_class_ids;
  std::vector<ClassAttrs> classes;  // [num_detected_classes]
  std::vector<std::string> labels;  // of the classes; of a classifier: the attribute's values
  // Of a classifier.
  float classifier_threshold = 0;  // a label needs more
  std::string classifier_type;     // name of the attribute
  ObjectFilter objects;
  // Keys of the file that only tell TensorRT something, in the file's order.
  std::vector<std::string> without_effect;
};

enum class KeyType { kInt, kBool, kFloat, kPath, kString, kIntList, kFloatList, kStringList };
// Whom a key speaks to.
enum class KeyScope { kAll, kDetector, kClassifier };

// One key of the file format, as data, so that a test can compare it with nvinfer's.
struct InferKey {
  const char* name;
  KeyType type;
  // nvinfer's default as it is written in a file; nullptr where there is none.
  const char* default_value;
  KeyScope scope = KeyScope::kAll;
};

// The keys that are honoured, of [property] and of [class-attrs-*].
const std::vector<InferKey>& HonouredProperties();
const std::vector<InferKey>& HonouredClassAttrs();
// Keys that choose how TensorRT builds and where it runs: taken, checked, and without effect here,
// so that a GPU's file can be read on a CPU.
const std::vector<InferKey>& TensorRtProperties();
// nvinfer's other keys: each is an error that says so, rather than "unknown".
const std::vector<const char*>& RefusedProperties();
const std::vector<const char*>& RefusedClassAttrs();

// Reads and checks the file and the labels it names; does not look at the model. Throws Error with
// file, line, group and key, and what to do.
InferConfig LoadInferConfig(const std::string& path);

// "a, b, c", for a message.
std::string JoinKeys(const std::vector<std::string>& keys);

// "0;2;5" as class numbers; throws Error of kSettings, its text starting with `what`.
std::vector<int> ParseClassIds(const std::string& value, const std::string& what);

}  // namespace sightline
