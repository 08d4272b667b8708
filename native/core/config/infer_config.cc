#include "core/config/infer_config.h"

#include <sys/stat.h>

#include <algorithm>
#include <limits>

#include "core/config/infer_readers.h"
#include "core/config/key_file.h"
#include "core/config/labels.h"
#include "core/config/typed_values.h"
#include "core/error.h"

namespace sightline {
namespace {

constexpr char kAllClasses[] = "class-attrs-all";
constexpr char kOneClass[] = "class-attrs-";

[[noreturn]] void FailUnread(const Place& place, const std::vector<const char*>& refused) {
  for (const char* known : refused) {
    if (place.entry.key != known) continue;
    place.Fail("nvinfer has this key, but slinfer cannot honour it on the CPU; remove the line");
  }
  place.Fail("unknown key; correct it or remove the line");
}

void CheckScope(const Place& place, KeyScope scope, NetworkType type) {
  if (scope == KeyScope::kDetector && type != NetworkType::kDetector) {
    place.Fail("only a detector (network-type=0) reads this; remove the line");
  }
  if (scope == KeyScope::kClassifier && type != NetworkType::kClassifier) {
    place.Fail("only a classifier (network-type=1) reads this; remove the line");
  }
}

const InferKey* FindKey(const std::vector<InferKey>& keys, const std::string& name) {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const InferKey& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

const KeyFileEntry* FindEntry(const KeyFileGroup& group, const char* key) {
  const auto found = std::find_if(group.entries.begin(), group.entries.end(),
                                  [&](const KeyFileEntry& entry) { return entry.key == key; });
  return found == group.entries.end() ? nullptr : &*found;
}

void ReadProperties(const KeyFile& file, const KeyFileGroup& group, InferConfig& config) {
  // First: which other keys mean anything depends on it.
  if (const KeyFileEntry* type = FindEntry(group, "network-type")) {
    PropertyReaders().at(type->key)(Place{file, group, *type}, config);
  }
  for (const KeyFileEntry& entry : group.entries) {
    const Place place{file, group, entry};
    if (const InferKey* key = FindKey(HonouredProperties(), entry.key)) {
      CheckScope(place, key->scope, config.network_type);
      PropertyReaders().at(entry.key)(place, config);
    } else if (FindKey(TensorRtProperties(), entry.key) != nullptr) {
      TensorRtReaders().at(entry.key)(place, config);
      config.without_effect.push_back(entry.key);
    } else {
      FailUnread(place, RefusedProperties());
    }
  }
}

void ReadClassGroup(const KeyFile& file, const KeyFileGroup& group, ClassAttrs& attrs) {
  for (const KeyFileEntry& entry : group.entries) {
    const Place place{file, group, entry};
    if (FindKey(HonouredClassAttrs(), entry.key) == nullptr) FailUnread(place, RefusedClassAttrs());
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

// nvinfer reads them for detectors alone.
void RefuseClassGroups(const KeyFile& file) {
  for (const KeyFileGroup& group : file.groups) {
    if (group.name == "property") continue;
    throw Error(ErrorKind::kSettings, file.path + ":" + std::to_string(group.line) + ": [" +
                                          group.name +
                                          "]: a classifier has no other group than [property]; "
                                          "remove this one");
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

void RequireKeys(const KeyFile& file, const KeyFileGroup& property, NetworkType type) {
  const std::pair<const char*, const char*> needed[] = {
      {"onnx-file", "the path of the model"},
      {"labelfile-path",
       type == NetworkType::kDetector
           ? "the path of a text file with one label a line"
           : "the path of a text file with the labels on one line, with ; between"},
      {"num-detected-classes", "the number of classes"},
      {"parse-bbox-func-name",
       "the parser of the model's outputs, for example "
       "SightlineParseYoloV8 (nvinfer's own default parser is not available)"},
      {"cluster-mode",
       "2 (NMS) or 4 (none): nvinfer's default 0, group rectangles, is not available"},
  };
  for (const auto& [key, what] : needed) {
    const bool applies = FindKey(HonouredProperties(), key)->scope == KeyScope::kAll ||
                         type == NetworkType::kDetector;
    if (!applies || FindEntry(property, key) != nullptr) continue;
    throw Error(ErrorKind::kSettings,
                file.path + ": [property] " + key + " is missing; write " + what);
  }
}

// Detectors see frames, classifiers objects.
void CheckProcessMode(const KeyFile& file, const KeyFileGroup& property, NetworkType type) {
  const KeyFileEntry* entry = FindEntry(property, "process-mode");
  const bool objects = entry != nullptr && entry->value == "2";
  if (type == NetworkType::kDetector && objects) {
    Place{file, property, *entry}.Fail(
        "detectors look at whole frames here; write process-mode=1 or remove the line");
  }
  if (type == NetworkType::kClassifier && !objects) {
    throw Error(ErrorKind::kSettings,
                file.path +
                    ": [property] process-mode must be 2 for a classifier: it looks at "
                    "objects that a detector found");
  }
}

void CheckWhole(const KeyFile& file, const InferConfig& config) {
  const KeyFileGroup& property = *file.Find("property");
  RequireKeys(file, property, config.network_type);
  CheckProcessMode(file, property, config.network_type);
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

std::string JoinKeys(const std::vector<std::string>& keys) {
  std::string text;
  for (const std::string& key : keys) text += (text.empty() ? "" : ", ") + key;
  return text;
}

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
  ReadProperties(file, *property, config);
  CheckWhole(file, config);
  if (config.network_type == NetworkType::kClassifier) {
    RefuseClassGroups(file);
    config.labels = ReadAttributeLabels(config.labelfile_path);
    return config;
  }
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
