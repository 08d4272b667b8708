#include "core/config/infer_config.h"

namespace sightline {

const std::vector<InferKey>& HonouredProperties() {
  static const std::vector<InferKey> kKeys = {
      {"gie-unique-id", KeyType::kInt, "15"},
      {"process-mode", KeyType::kInt, "1"},
      {"batch-size", KeyType::kInt, "1"},
      {"network-type", KeyType::kInt, "0"},
      {"labelfile-path", KeyType::kPath, nullptr},
      {"onnx-file", KeyType::kPath, nullptr},
      {"infer-dims", KeyType::kIntList, nullptr},
      {"network-input-order", KeyType::kInt, "0"},
      {"output-blob-names", KeyType::kStringList, nullptr},
      {"model-color-format", KeyType::kInt, "0"},
      {"net-scale-factor", KeyType::kFloat, "1.0"},
      {"offsets", KeyType::kFloatList, nullptr},
      {"maintain-aspect-ratio", KeyType::kBool, "0"},
      {"symmetric-padding", KeyType::kBool, "0"},
      {"scaling-filter", KeyType::kInt, "6"},
      {"interval", KeyType::kInt, "0", KeyScope::kDetector},
      {"num-detected-classes", KeyType::kInt, "0", KeyScope::kDetector},
      {"cluster-mode", KeyType::kInt, "0", KeyScope::kDetector},
      {"filter-out-class-ids", KeyType::kIntList, nullptr, KeyScope::kDetector},
      {"custom-lib-path", KeyType::kPath, nullptr, KeyScope::kDetector},
      {"parse-bbox-func-name", KeyType::kString, nullptr, KeyScope::kDetector},
      {"classifier-threshold", KeyType::kFloat, "0.0", KeyScope::kClassifier},
      {"classifier-type", KeyType::kString, nullptr, KeyScope::kClassifier},
      {"classifier-async-mode", KeyType::kBool, "0", KeyScope::kClassifier},
      {"secondary-reinfer-interval", KeyType::kInt, "2147483647", KeyScope::kClassifier},
      {"operate-on-gie-id", KeyType::kInt, "-1", KeyScope::kClassifier},
      {"operate-on-class-ids", KeyType::kIntList, nullptr, KeyScope::kClassifier},
      {"input-object-min-width", KeyType::kInt, "0", KeyScope::kClassifier},
      {"input-object-min-height", KeyType::kInt, "0", KeyScope::kClassifier},
      {"input-object-max-width", KeyType::kInt, "0", KeyScope::kClassifier},
      {"input-object-max-height", KeyType::kInt, "0", KeyScope::kClassifier},
  };
  return kKeys;
}

const std::vector<InferKey>& TensorRtProperties() {
  static const std::vector<InferKey> kKeys = {
      {"gpu-id", KeyType::kInt, "0"},
      {"network-mode", KeyType::kInt, "0"},
      {"model-engine-file", KeyType::kPath, nullptr},
      {"int8-calib-file", KeyType::kPath, nullptr},
      {"workspace-size", KeyType::kInt, "0"},
      {"output-io-formats", KeyType::kStringList, nullptr},
      {"layer-device-precision", KeyType::kStringList, nullptr},
      {"force-implicit-batch-dim", KeyType::kBool, "0"},
      {"scaling-compute-hw", KeyType::kInt, "0"},
      {"tensor-meta-pool-size", KeyType::kInt, "2"},
      {"enable-dla", KeyType::kBool, "0"},
      {"use-dla-core", KeyType::kInt, "0"},
      {"auto-inc-mem", KeyType::kInt, "1"},
      {"max-gpu-mem-per", KeyType::kFloat, "99.0"},
      {"strongly-typed", KeyType::kBool, "0"},
      {"dynamic-properties", KeyType::kString, nullptr},
      {"warmup-engine", KeyType::kBool, "0"},
  };
  return kKeys;
}

const std::vector<InferKey>& HonouredClassAttrs() {
  static const std::vector<InferKey> kKeys = {
      {"pre-cluster-threshold", KeyType::kFloat, "0.2"},
      {"post-cluster-threshold", KeyType::kFloat, "0.0"},
      {"nms-iou-threshold", KeyType::kFloat, "0.3"},
      {"topk", KeyType::kInt, "-1"},
      {"roi-top-offset", KeyType::kInt, "0"},
      {"roi-bottom-offset", KeyType::kInt, "0"},
      {"detected-min-w", KeyType::kInt, "0"},
      {"detected-min-h", KeyType::kInt, "0"},
      {"detected-max-w", KeyType::kInt, "0"},
      {"detected-max-h", KeyType::kInt, "0"},
  };
  return kKeys;
}

const std::vector<const char*>& RefusedProperties() {
  static const std::vector<const char*> kKeys = {
      "tlt-encoded-model",
      "tlt-model-key",
      "model-file",
      "proto-file",
      "uff-file",
      "uff-input-order",
      "uff-input-blob-name",
      "input-dims",
      "uff-input-dims",
      "mean-file",
      "input-tensor-from-meta",
      "enable-dbscan",
      "is-classifier",
      "parse-func",
      "segmentation-threshold",
      "segmentation-output-order",
      "output-instance-mask",
      "output-tensor-meta",
      "disable-output-host-copy",
      "parse-bbox-instance-mask-func-name",
      "parse-segmentation-func-name",
      "parse-classifier-func-name",
      "engine-create-func-name",
      "custom-network-config",
      "crop-objects-to-roi-boundary",
      "stabilize-buffer-count",
      "raw-output-file-write",
      "dump-input-tensor",
      "dump-output-tensor",
      "overwrite-input-tensor",
      "overwrite-output-tensor",
      "ip-tensor-file",
      "op-tensor-files",
  };
  return kKeys;
}

const std::vector<const char*>& RefusedClassAttrs() {
  static const std::vector<const char*> kKeys = {
      "threshold",        "eps",          "group-threshold", "minBoxes",
      "dbscan-min-score", "border-color", "bg-color",
  };
  return kKeys;
}

}  // namespace sightline
