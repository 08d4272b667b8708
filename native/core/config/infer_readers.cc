#include "core/config/infer_readers.h"

#include <limits>

namespace sightline {
namespace {

constexpr int kMost = std::numeric_limits<int>::max();
constexpr char kParserLibrary[] = "libsightline_parsers.so";

void ReadDims(const Place& place, InferConfig& config) {
  const std::vector<std::string> items = ReadTexts(place);
  long long dims[3] = {};
  for (size_t i = 0; i < 3; ++i) {
    if (items.size() != 3 || !ParseInt(items[i], dims[i]) || dims[i] < 1 || dims[i] > 16384) {
      place.Fail("three numbers are needed, channels;height;width, for example 3;384;512");
    }
  }
  config.channels = static_cast<int>(dims[0]);
  config.height = static_cast<int>(dims[1]);
  config.width = static_cast<int>(dims[2]);
}

ClusterMode ReadClusterMode(const Place& place) {
  const int value = ReadInt(place, 0, 4);
  if (value == 2) return ClusterMode::kNms;
  if (value == 4) return ClusterMode::kNone;
  place.Fail("only 2 (NMS) and 4 (none) run on the CPU; write one of them");
}

ScalingFilter ReadScalingFilter(const Place& place) {
  switch (ReadInt(place, 0, 6)) {
    case 0:
      return ScalingFilter::kNearest;
    case 1:
      return ScalingFilter::kLinear;
    case 6:
      return ScalingFilter::kDefault;
    default:
      place.Fail(
          "only 0 (nearest), 1 (bilinear) and 6 (default) run on the CPU; write one of them");
  }
}

void CheckParserLibrary(const Place& place) {
  const std::string value = ReadText(place);
  if (value.substr(value.rfind('/') + 1) == kParserLibrary) return;
  place.Fail(std::string("parsers of other libraries cannot be loaded; on the CPU those of ") +
             kParserLibrary + " are built in (remove the line, or convert the parser)");
}

std::vector<int> ReadClassIds(const Place& place) {
  const std::string line = std::to_string(place.entry.line);
  return ParseClassIds(place.entry.value,
                       place.file.path + ":" + line + ": [property] " + place.entry.key);
}

void ReadNetworkType(const Place& place, InferConfig& config) {
  switch (ReadInt(place, 0, 100)) {
    case 0:
      config.network_type = NetworkType::kDetector;
      return;
    case 1:
      config.network_type = NetworkType::kClassifier;
      return;
    default:
      place.Fail("only 0 (detector) and 1 (classifier) run on the CPU");
  }
}

// One of nvinfer's choices, or any number where it has no limit.
template <int kLeast, int kLast>
void CheckInt(const Place& place, InferConfig&) {
  ReadInt(place, kLeast, kLast);
}
void CheckBool(const Place& place, InferConfig&) { ReadBool(place); }
void CheckText(const Place& place, InferConfig&) { ReadText(place); }
void CheckTexts(const Place& place, InferConfig&) { ReadTexts(place); }

}  // namespace

const std::map<std::string, PropertyReader>& PropertyReaders() {
  static const std::map<std::string, PropertyReader> kReaders = {
      {"gie-unique-id",
       [](const Place& place, InferConfig& config) {
         config.gie_unique_id = ReadInt(place, 1, kMost);
       }},
      // Checked with the network's type, when both are known.
      {"process-mode", [](const Place& place, InferConfig&) { ReadInt(place, 1, 2); }},
      {"network-type", ReadNetworkType},
      {"batch-size", [](const Place& place,
                        InferConfig& config) { config.batch_size = ReadInt(place, 1, 1024); }},
      {"interval",
       [](const Place& place, InferConfig& config) { config.interval = ReadCount(place); }},
      {"labelfile-path",
       [](const Place& place, InferConfig& config) { config.labelfile_path = ReadPath(place); }},
      {"onnx-file",
       [](const Place& place, InferConfig& config) { config.onnx_file = ReadPath(place); }},
      {"infer-dims", [](const Place& place, InferConfig& config) { ReadDims(place, config); }},
      {"network-input-order",
       [](const Place& place, InferConfig& config) {
         config.channels_last = ReadInt(place, 0, 1) == 1;
       }},
      {"output-blob-names",
       [](const Place& place, InferConfig& config) {
         config.output_blob_names = ReadTexts(place);
       }},
      {"model-color-format",
       [](const Place& place, InferConfig& config) {
         config.color_format = static_cast<ColorFormat>(ReadInt(place, 0, 2));
       }},
      {"net-scale-factor",
       [](const Place& place, InferConfig& config) { config.net_scale_factor = ReadFloat(place); }},
      {"offsets",
       [](const Place& place, InferConfig& config) { config.offsets = ReadFloats(place); }},
      {"maintain-aspect-ratio",
       [](const Place& place, InferConfig& config) {
         config.maintain_aspect_ratio = ReadBool(place);
       }},
      {"symmetric-padding",
       [](const Place& place, InferConfig& config) { config.symmetric_padding = ReadBool(place); }},
      {"scaling-filter",
       [](const Place& place, InferConfig& config) {
         config.scaling_filter = ReadScalingFilter(place);
       }},
      {"num-detected-classes",
       [](const Place& place, InferConfig& config) {
         config.num_detected_classes = ReadInt(place, 1, 1 << 16);
       }},
      {"cluster-mode", [](const Place& place,
                          InferConfig& config) { config.cluster_mode = ReadClusterMode(place); }},
      {"filter-out-class-ids",
       [](const Place& place, InferConfig& config) {
         config.filter_out_class_ids = ReadClassIds(place);
       }},
      {"custom-lib-path", [](const Place& place, InferConfig&) { CheckParserLibrary(place); }},
      {"parse-bbox-func-name",
       [](const Place& place, InferConfig& config) {
         config.parse_bbox_func_name = ReadText(place);
       }},
      {"classifier-threshold",
       [](const Place& place, InferConfig& config) {
         config.classifier_threshold = ReadFraction(place);
       }},
      {"classifier-type",
       [](const Place& place, InferConfig& config) { config.classifier_type = ReadText(place); }},
      {"classifier-async-mode",
       [](const Place& place, InferConfig&) {
         if (ReadBool(place)) place.Fail("labels always come with their frame here; write 0");
       }},
      {"secondary-reinfer-interval",
       [](const Place& place, InferConfig& config) {
         config.objects.reinfer_interval = ReadCount(place);
       }},
      {"operate-on-gie-id",
       [](const Place& place, InferConfig& config) {
         config.objects.operate_on_gie_id = ReadInt(place, -1, kMost);
       }},
      {"operate-on-class-ids",
       [](const Place& place, InferConfig& config) {
         config.objects.operate_on_class_ids = ReadClassIds(place);
       }},
      {"input-object-min-width",
       [](const Place& place, InferConfig& config) {
         config.objects.min_width = ReadCount(place);
       }},
      {"input-object-min-height",
       [](const Place& place, InferConfig& config) {
         config.objects.min_height = ReadCount(place);
       }},
      {"input-object-max-width",
       [](const Place& place, InferConfig& config) {
         config.objects.max_width = ReadCount(place);
       }},
      {"input-object-max-height",
       [](const Place& place, InferConfig& config) {
         config.objects.max_height = ReadCount(place);
       }},
  };
  return kReaders;
}

const std::map<std::string, PropertyReader>& TensorRtReaders() {
  static const std::map<std::string, PropertyReader> kReaders = {
      {"gpu-id", CheckInt<0, kMost>},
      {"network-mode", CheckInt<0, 3>},
      {"model-engine-file", CheckText},
      {"int8-calib-file", CheckText},
      {"workspace-size", CheckInt<0, kMost>},
      {"output-io-formats", CheckTexts},
      {"layer-device-precision", CheckTexts},
      {"force-implicit-batch-dim", CheckBool},
      {"scaling-compute-hw", CheckInt<0, 2>},
      {"tensor-meta-pool-size", CheckInt<1, kMost>},
      {"enable-dla", CheckBool},
      {"use-dla-core", CheckInt<0, kMost>},
      {"auto-inc-mem", CheckInt<0, kMost>},
      // A percentage, which nvinfer's INI reader takes as a whole number.
      {"max-gpu-mem-per", CheckInt<0, 100>},
      {"strongly-typed", CheckBool},
      {"dynamic-properties", CheckText},
      {"warmup-engine", CheckBool},
  };
  return kReaders;
}

const std::map<std::string, ClassAttrReader>& ClassAttrReaders() {
  static const std::map<std::string, ClassAttrReader> kReaders = {
      {"pre-cluster-threshold",
       [](const Place& place, ClassAttrs& attrs) {
         attrs.pre_cluster_threshold = ReadFraction(place);
       }},
      {"post-cluster-threshold",
       [](const Place& place, ClassAttrs& attrs) {
         attrs.post_cluster_threshold = ReadFraction(place);
       }},
      {"nms-iou-threshold",
       [](const Place& place, ClassAttrs& attrs) {
         attrs.nms_iou_threshold = ReadFraction(place);
       }},
      {"topk", [](const Place& place, ClassAttrs& attrs) { attrs.topk = ReadCount(place); }},
      {"roi-top-offset",
       [](const Place& place, ClassAttrs& attrs) { attrs.roi_top_offset = ReadCount(place); }},
      {"roi-bottom-offset",
       [](const Place& place, ClassAttrs& attrs) { attrs.roi_bottom_offset = ReadCount(place); }},
      {"detected-min-w",
       [](const Place& place, ClassAttrs& attrs) { attrs.detected_min_w = ReadCount(place); }},
      {"detected-min-h",
       [](const Place& place, ClassAttrs& attrs) { attrs.detected_min_h = ReadCount(place); }},
      {"detected-max-w",
       [](const Place& place, ClassAttrs& attrs) { attrs.detected_max_w = ReadCount(place); }},
      {"detected-max-h",
       [](const Place& place, ClassAttrs& attrs) { attrs.detected_max_h = ReadCount(place); }},
  };
  return kReaders;
}

}  // namespace sightline
