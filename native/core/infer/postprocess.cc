#include "core/infer/postprocess.h"

#include "core/error.h"
#include "core/parsers/nms.h"

namespace sightline {

Postprocessor::Postprocessor(const InferConfig& config)
    : config_(config), parser_(FindParser(config.parse_bbox_func_name)) {
  if (parser_ == nullptr) {
    throw Error(ErrorKind::kSettings,
                config.path + ": [property] parse-bbox-func-name=" + config.parse_bbox_func_name +
                    ": there is no such parser; there are " + ListParsers());
  }
  input_.class_count = config.num_detected_classes;
  filtered_out_.resize(config.classes.size());
  kept_.resize(config.classes.size());
  for (const ClassAttrs& attrs : config.classes) {
    input_.thresholds.push_back(attrs.pre_cluster_threshold);
    overlap_limits_.push_back(attrs.nms_iou_threshold);
  }
  for (int id : config.filter_out_class_ids) {
    if (id >= config.num_detected_classes) {
      throw Error(ErrorKind::kSettings, config.path + ": filter-out-class-ids names class " +
                                            std::to_string(id) + ", but num-detected-classes is " +
                                            std::to_string(config.num_detected_classes));
    }
    filtered_out_[static_cast<size_t>(id)] = true;
  }
}

void Postprocessor::CheckOutputs(const std::vector<TensorView>& outputs, int network_width,
                                 int network_height) {
  input_.outputs = outputs;
  input_.network_width = network_width;
  input_.network_height = network_height;
  const std::string problem = parser_->check(input_);
  if (problem.empty()) return;
  throw Error(ErrorKind::kModel, std::string(parser_->symbol) + " cannot read the outputs of " +
                                     config_.onnx_file + " (" + Describe(outputs) +
                                     "): " + problem + ". It expects " + parser_->expects +
                                     "; choose another parse-bbox-func-name or convert the model");
}

const std::vector<Detection>& Postprocessor::Process(const std::vector<TensorView>& outputs,
                                                     const Letterbox& letterbox) {
  detections_.clear();
  bool same_shapes = true;
  for (size_t i = 0; i < outputs.size(); ++i) {
    same_shapes = same_shapes && input_.outputs[i].dims == outputs[i].dims;
    input_.outputs[i].data = outputs[i].data;
  }
  if (!same_shapes) CheckOutputs(outputs, input_.network_width, input_.network_height);
  parser_->parse(input_, detections_);
  if (config_.cluster_mode == ClusterMode::kNms) {
    SuppressOverlaps(detections_, overlap_limits_);
  } else {
    SortByConfidence(detections_);
  }
  KeepBest();
  size_t kept = 0;
  for (const Detection& box : detections_) {
    const Detection clipped =
        ClipToFrame(letterbox.ToSource(box), letterbox.source_width, letterbox.source_height);
    if (IsWanted(clipped, letterbox)) detections_[kept++] = clipped;
  }
  detections_.resize(kept);
  return detections_;
}

// The second threshold and the top k of each class, on boxes that are sorted.
void Postprocessor::KeepBest() {
  kept_.assign(kept_.size(), 0);
  size_t kept = 0;
  for (const Detection& box : detections_) {
    const size_t id = static_cast<size_t>(box.class_id);
    const ClassAttrs& attrs = config_.classes[id];
    if (box.confidence < attrs.post_cluster_threshold) continue;
    if (attrs.topk >= 0 && kept_[id] >= attrs.topk) continue;
    ++kept_[id];
    detections_[kept++] = box;
  }
  detections_.resize(kept);
}

bool Postprocessor::IsWanted(const Detection& box, const Letterbox& letterbox) const {
  const size_t id = static_cast<size_t>(box.class_id);
  const ClassAttrs& attrs = config_.classes[id];
  const float frame_height = static_cast<float>(letterbox.source_height);
  const auto limit = [](int pixels) { return static_cast<float>(pixels); };
  if (filtered_out_[id] || !(box.width > 0) || !(box.height > 0)) return false;
  if (box.width < limit(attrs.detected_min_w)) return false;
  if (box.height < limit(attrs.detected_min_h)) return false;
  if (attrs.detected_max_w > 0 && box.width > limit(attrs.detected_max_w)) return false;
  if (attrs.detected_max_h > 0 && box.height > limit(attrs.detected_max_h)) return false;
  if (box.top < limit(attrs.roi_top_offset)) return false;
  // A box clipped to the frame may end a rounding error beyond its edge.
  constexpr float kRounding = 1e-3f;
  return box.top + box.height <= frame_height - limit(attrs.roi_bottom_offset) + kRounding;
}

}  // namespace sightline
