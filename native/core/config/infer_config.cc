#include "core/config/infer_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>
#include <map>

#include "core/config/key_file.h"
#include "core/config/labels.h"
#include "core/config/typed_values.h"
#include "core/error.h"

namespace sightline {
namespace {

constexpr char kAllClasses[] = "class-attrs-all";
constexpr char kOneClass[] = "class-attrs-";
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

void ReadClassIds(const Place& place, InferConfig& config) {
  const std::string line = std::to_string(place.entry.line);
  config.filter_out_class_ids = ParseClassIds(
      place.entry.value, place.file.path + ":" + line + ": [property] filter-out-class-ids");
}

using PropertyReader = void (*)(const Place&, InferConfig&);

const std::map<std::string, PropertyReader>& PropertyReaders() {
  static const std::map<std::string, PropertyReader> kReaders = {
      {"gie-unique-id",
       [](const Place& place, InferConfig& config) {
         config.gie_unique_id = ReadInt(place, 1, std::numeric_limits<int>::max());
       }},
      {"process-mode",
       [](const Place& place, InferConfig&) {
         ReadOnly(place, 1, "only whole frames are inferred here");
       }},
      {"gpu-id", [](const Place& place,
                    InferConfig&) { ReadOnly(place, 0, "there is no GPU to choose here"); }},
      {"batch-size", [](const Place& place,
                        InferConfig& config) { config.batch_size = ReadInt(place, 1, 1024); }},
      {"interval",
       [](const Place& place, InferConfig& config) { config.interval = ReadCount(place); }},
      {"network-mode",
       [](const Place& place, InferConfig&) {
         ReadOnly(place, 0, "the model runs in the precision of its ONNX file here");
       }},
      {"network-type",
       [](const Place& place, InferConfig&) { ReadOnly(place, 0, "only detectors run here"); }},
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
       [](const Place& place, InferConfig& config) { ReadClassIds(place, config); }},
      {"custom-lib-path", [](const Place& place, InferConfig&) { CheckParserLibrary(place); }},
      {"parse-bbox-func-name",
       [](const Place& place, InferConfig& config) {
         config.parse_bbox_func_name = ReadText(place);
       }},
  };
  return kReaders;
}

using ClassAttrReader = void (*)(const Place&, ClassAttrs&);

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
      {"topk",
       [](const Place& place, ClassAttrs& attrs) {
         attrs.topk = ReadInt(place, -1, std::numeric_limits<int>::max());
       }},
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

void CheckKey(const Place& place, const std::vector<InferKey>& honoured,
              const std::vector<const char*>& refused) {
  const std::string& key = place.entry.key;
  for (const InferKey& known : honoured) {
    if (key == known.name) return;
  }
  for (const char* known : refused) {
    if (key == known) {
      place.Fail("nvinfer has this key, but slinfer cannot honour it on the CPU; remove the line");
    }
  }
  place.Fail("unknown key; correct it or remove the line");
}

void ReadClassGroup(const KeyFile& file, const KeyFileGroup& group, ClassAttrs& attrs) {
  for (const KeyFileEntry& entry : group.entries) {
    const Place place{file, group, entry};
    CheckKey(place, HonouredClassAttrs(), RefusedClassAttrs());
    ClassAttrReaders().at(entry.key)(place, attrs);
  }
}

// [class-attrs-all] first, wherever it stands, then each class' own group over it.
void ReadClasses(const KeyFile& file, InferConfig& config) {
  ClassAttrs all;
  if (const KeyFileGroup* group = file.Find(kAllClasses)) ReadClassGroup(file, *group, all);
  config.classes.assign(static_cast<size_t>(config.num_detected_classes), all);
  for (const KeyFileGroup& group : file.groups) {
    if (group.name == "property" || group.name == kAllClasses) continue;
    const std::string where =
        file.path + ":" + std::to_string(group.line) + ": [" + group.name + "]: ";
    long long id = -1;
    const bool numbered = group.name.rfind(kOneClass, 0) == 0 &&
                          ParseInt(group.name.substr(sizeof(kOneClass) - 1), id);
    if (!numbered) {
      throw Error(ErrorKind::kSettings, where +
                                            "unknown group; there are [property], "
                                            "[class-attrs-all] and [class-attrs-<class number>]");
    }
    if (id < 0 || id >= config.num_detected_classes) {
      throw Error(ErrorKind::kSettings, where + "there is no such class: num-detected-classes is " +
                                            std::to_string(config.num_detected_classes));
    }
    ReadClassGroup(file, group, config.classes[static_cast<size_t>(id)]);
  }
}

void RequireFile(const InferConfig& config, const std::string& key, const std::string& value) {
  struct stat info = {};
  if (stat(value.c_str(), &info) == 0 && S_ISREG(info.st_mode)) return;
  throw Error(ErrorKind::kNotFound, config.path + ": [property] " + key + ": there is no file " +
                                        value +
                                        "; correct the path (relative paths start at the "
                                        "configuration's folder)");
}

void CheckWhole(const KeyFile& file, const InferConfig& config) {
  const KeyFileGroup& property = *file.Find("property");
  const auto has = [&](const char* key) {
    return std::any_of(property.entries.begin(), property.entries.end(),
                       [&](const KeyFileEntry& entry) { return entry.key == key; });
  };
  const std::pair<const char*, const char*> needed[] = {
      {"onnx-file", "the path of the model"},
      {"labelfile-path", "the path of a text file with one label a line"},
      {"num-detected-classes", "the number of classes"},
      {"parse-bbox-func-name",
       "the parser of the model's outputs, for example "
       "SightlineParseYoloV8 (nvinfer's own default parser is not available)"},
      {"cluster-mode",
       "2 (NMS) or 4 (none): nvinfer's default 0, group rectangles, is not available"},
  };
  for (const auto& [key, what] : needed) {
    if (has(key)) continue;
    throw Error(ErrorKind::kSettings,
                file.path + ": [property] " + key + " is missing; write " + what);
  }
  const size_t channels = config.color_format == ColorFormat::kGray ? 1 : 3;
  if (!config.offsets.empty() && config.offsets.size() != channels) {
    throw Error(ErrorKind::kSettings, file.path + ": [property] offsets has " +
                                          std::to_string(config.offsets.size()) +
                                          " numbers; one for each of the " +
                                          std::to_string(channels) + " channels is needed");
  }
  RequireFile(config, "onnx-file", config.onnx_file);
  RequireFile(config, "labelfile-path", config.labelfile_path);
}

}  // namespace

std::vector<int> ParseClassIds(const std::string& value, const std::string& what) {
  std::vector<int> ids;
  for (const std::string& item : SplitList(value)) {
    long long id = -1;
    if (!ParseInt(item, id) || id < 0 || id > std::numeric_limits<int>::max()) {
      throw Error(ErrorKind::kSettings,
                  what + "=" + value + ": '" + item +
                      "' is not a class number; write numbers with ; between");
    }
    ids.push_back(static_cast<int>(id));
  }
  return ids;
}

InferConfig LoadInferConfig(const std::string& path) {
  for (const std::string suffix : {".yml", ".yaml"}) {
    if (path.size() < suffix.size() || path.substr(path.size() - suffix.size()) != suffix) continue;
    throw Error(ErrorKind::kSettings, "The configuration " + path +
                                          " is YAML; slinfer reads "
                                          "nvinfer's INI form ([property], key=value)");
  }
  const KeyFile file = ReadKeyFile(path);
  const KeyFileGroup* property = file.Find("property");
  if (property == nullptr) {
    throw Error(ErrorKind::kSettings, path + ": the group [property] is missing");
  }
  InferConfig config;
  config.path = path;
  for (const KeyFileEntry& entry : property->entries) {
    const Place place{file, *property, entry};
    CheckKey(place, HonouredProperties(), RefusedProperties());
    PropertyReaders().at(entry.key)(place, config);
  }
  CheckWhole(file, config);
  ReadClasses(file, config);
  config.labels = ReadLabels(config.labelfile_path);
  if (config.labels.size() != config.classes.size()) {
    throw Error(ErrorKind::kSettings,
                path + ": [property] labelfile-path: " + config.labelfile_path + " has " +
                    std::to_string(config.labels.size()) + " labels, but num-detected-classes is " +
                    std::to_string(config.num_detected_classes) + "; make them equal");
  }
  return config;
}

}  // namespace sightline
