#include "core/config/infer_config.h"

namespace sightline {

const std::vector<InferKey>& HonouredProperties() {
  static const std::vector<InferKey> kKeys = {
      {"gie-unique-id", KeyType::kInt, "15"},
      {"process-mode", KeyType::kInt, "1"},
      {"gpu-id", KeyType::kInt, "0"},
      {"batch-size", KeyType::kInt, "1"},
      {"interval", KeyType::kInt, "0"},
      {"network-mode", KeyType::kInt, "0"},
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
      {"num-detected-classes", KeyType::kInt, "0"},
      {"cluster-mode", KeyType::kInt, "0"},
      {"filter-out-class-ids", KeyType::kIntList, nullptr},
      {"custom-lib-path", KeyType::kPath, nullptr},
      {"parse-bbox-func-name", KeyType::kString, nullptr},
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
      "model-engine-file",
      "int8-calib-file",
      "tlt-encoded-model",
      "tlt-model-key",
      "model-file",
      "proto-file",
      "uff-file",
      "uff-input-order",
      "uff-input-blob-name",
      "input-dims",
      "uff-input-dims",
      "workspace-size",
      "output-io-formats",
      "layer-device-precision",
      "force-implicit-batch-dim",
      "mean-file",
      "scaling-compute-hw",
      "input-tensor-from-meta",
      "enable-dbscan",
      "is-classifier",
      "parse-func",
      "classifier-threshold",
      "classifier-type",
      "classifier-async-mode",
      "segmentation-threshold",
      "segmentation-output-order",
      "output-instance-mask",
      "output-tensor-meta",
      "tensor-meta-pool-size",
      "disable-output-host-copy",
      "secondary-reinfer-interval",
      "operate-on-gie-id",
      "operate-on-class-ids",
      "input-object-min-width",
      "input-object-min-height",
      "input-object-max-width",
      "input-object-max-height",
      "parse-bbox-instance-mask-func-name",
      "parse-segmentation-func-name",
      "parse-classifier-func-name",
      "engine-create-func-name",
      "custom-network-config",
      "enable-dla",
      "use-dla-core",
      "auto-inc-mem",
      "max-gpu-mem-per",
      "crop-objects-to-roi-boundary",
      "strongly-typed",
      "dynamic-properties",
      "warmup-engine",
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
