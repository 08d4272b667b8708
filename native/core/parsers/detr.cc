#include <algorithm>
#include <cmath>

#include "core/parsers/formats.h"

namespace sightline {
namespace {

struct Roles {
  const TensorView* boxes = nullptr;
  const TensorView* logits = nullptr;
};

// The boxes are [N,4]; when both outputs are (3 or 4 classes), the name decides.
Roles FindRoles(const ParserInput& input) {
  const TensorView* first = &input.outputs[0];
  const TensorView* second = &input.outputs[1];
  const bool second_named =
      second->name.find("box") != std::string::npos && first->name.find("box") == std::string::npos;
  const bool swapped = IsFloats(*second, {-1, 4}) && (!IsFloats(*first, {-1, 4}) || second_named);
  return swapped ? Roles{second, first} : Roles{first, second};
}

// The softmax probability of the best class among `count` logits.
float Softmax(const float* logits, int64_t count, float best) {
  const float largest = *std::max_element(logits, logits + count);
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += std::exp(logits[i] - largest);
  return std::exp(best - largest) / sum;
}

}  // namespace

std::string CheckDetr(const ParserInput& input) {
  if (input.outputs.size() != 2) {
    return "boxes [N,4] and logits must be the outputs (choose them with output-blob-names)";
  }
  const Roles roles = FindRoles(input);
  if (!IsFloats(*roles.boxes, {-1, 4})) return "no output is boxes [N,4]";
  const int64_t count = roles.boxes->dims[0];
  const int64_t classes = input.class_count;
  if (IsFloats(*roles.logits, {count, classes}) || IsFloats(*roles.logits, {count, classes + 1})) {
    return "";
  }
  return "for " + std::to_string(count) + " boxes and " + std::to_string(classes) +
         " classes the logits must be [" + std::to_string(count) + "," +
         std::to_string(classes + 1) + "] or [" + std::to_string(count) + "," +
         std::to_string(classes) + "]";
}

void ParseDetr(const ParserInput& input, std::vector<Detection>& detections) {
  const Roles roles = FindRoles(input);
  const int64_t columns = roles.logits->dims[1];
  const float width = static_cast<float>(input.network_width);
  const float height = static_cast<float>(input.network_height);
  for (int64_t i = 0; i < roles.boxes->dims[0]; ++i) {
    const float* logits = roles.logits->floats() + i * columns;
    const float* best = std::max_element(logits, logits + input.class_count);
    const int class_id = static_cast<int>(best - logits);
    const float confidence = columns > input.class_count ? Softmax(logits, columns, *best)
                                                         : 1.0f / (1.0f + std::exp(-*best));
    if (!(confidence >= input.thresholds[static_cast<size_t>(class_id)])) continue;
    const float* box = roles.boxes->floats() + i * 4;
    AddCentred(box[0] * width, box[1] * height, box[2] * width, box[3] * height, confidence,
               class_id, detections);
  }
}

}  // namespace sightline
