#pragma once

#include <string>
#include <vector>

#include "core/config/infer_config.h"
#include "core/infer/letterbox.h"
#include "core/parsers/parser.h"

namespace sightline {

// Turns a network's outputs into detections on the source frame as the configuration says: parse,
// suppress, thresholds, top k, map back and clip, then sizes, regions and classes.
class Postprocessor {
 public:
  // Throws Error when there is no such parser.
  explicit Postprocessor(const InferConfig& config);

  // Throws Error when the parser cannot read outputs like these.
  void CheckOutputs(const std::vector<TensorView>& outputs, int network_width, int network_height);
  // The detections of one picture, best first; valid until the next call.
  const std::vector<Detection>& Process(const std::vector<TensorView>& outputs,
                                        const Letterbox& letterbox);

 private:
  void KeepBest();
  bool IsWanted(const Detection& box, const Letterbox& letterbox) const;

  const InferConfig& config_;
  const Parser* parser_;
  ParserInput input_;
  std::vector<float> overlap_limits_;
  std::vector<bool> filtered_out_;
  std::vector<int> kept_;  // boxes kept of each class
  std::vector<Detection> detections_;
};

}  // namespace sightline
