#include "core/config/infer_difference.h"

#include <filesystem>

namespace sightline {

namespace {

// Two ways of writing one path are one file.
bool SameFile(const std::string& a, const std::string& b) {
  return a == b || std::filesystem::weakly_canonical(a) == std::filesystem::weakly_canonical(b);
}

}  // namespace

std::string NetworkDifference(const InferConfig& a, const InferConfig& b) {
  const struct {
    const char* key;
    bool same;
  } keys[] = {
      {"network-type", a.network_type == b.network_type},
      {"onnx-file", SameFile(a.onnx_file, b.onnx_file)},
      {"labelfile-path", a.labels == b.labels},
      {"parse-bbox-func-name", a.parse_bbox_func_name == b.parse_bbox_func_name},
      {"output-blob-names", a.output_blob_names == b.output_blob_names},
      {"gie-unique-id", a.gie_unique_id == b.gie_unique_id},
      {"batch-size", a.batch_size == b.batch_size},
      {"interval", a.interval == b.interval},
      {"infer-dims", a.channels == b.channels && a.height == b.height && a.width == b.width},
      {"network-input-order", a.channels_last == b.channels_last},
      {"model-color-format", a.color_format == b.color_format},
      {"net-scale-factor", a.net_scale_factor == b.net_scale_factor},
      {"offsets", a.offsets == b.offsets},
      {"maintain-aspect-ratio", a.maintain_aspect_ratio == b.maintain_aspect_ratio},
      {"symmetric-padding", a.symmetric_padding == b.symmetric_padding},
      {"scaling-filter", a.scaling_filter == b.scaling_filter},
      {"num-detected-classes", a.num_detected_classes == b.num_detected_classes},
  };
  for (const auto& [key, same] : keys) {
    if (!same) return key;
  }
  return "";
}

}  // namespace sightline
