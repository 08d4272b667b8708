#include "core/error.h"
#include "core/parsers/formats.h"

namespace sightline {
namespace {

// Which output is what. Scores lie class by class beside each box (then there are no labels), or
// one a box with its label.
struct Roles {
  const TensorView* boxes = nullptr;
  const TensorView* scores = nullptr;
  const TensorView* labels = nullptr;
};

bool NameHas(const TensorView& tensor, const char* part) {
  return tensor.name.find(part) != std::string::npos;
}

// Two outputs: the boxes are [N,4]; when both are (a detector of 3 or 4 classes), the name decides.
Roles FindDense(const ParserInput& input) {
  const TensorView& first = input.outputs[0];
  const TensorView& second = input.outputs[1];
  const bool first_fits = IsFloats(first, {-1, 4});
  const bool second_fits = IsFloats(second, {-1, 4});
  const bool swapped =
      second_fits && (!first_fits || (NameHas(second, "box") && !NameHas(first, "box")));
  Roles roles;
  roles.boxes = swapped ? &second : &first;
  roles.scores = swapped ? &first : &second;
  return roles;
}

// Three outputs: labels are the whole numbers, or the one named so.
Roles FindLabelled(const ParserInput& input) {
  Roles roles;
  for (const TensorView& tensor : input.outputs) {
    if (IsFloats(tensor, {-1, 4})) {
      roles.boxes = &tensor;
    } else if (tensor.rank() == 1 && (tensor.type == ElementType::kInt64 ||
                                      NameHas(tensor, "label") || NameHas(tensor, "class"))) {
      roles.labels = &tensor;
    } else if (IsFloats(tensor, {-1})) {
      roles.scores = &tensor;
    }
  }
  return roles;
}

Roles FindRoles(const ParserInput& input) {
  if (input.outputs.size() == 2) return FindDense(input);
  if (input.outputs.size() == 3) return FindLabelled(input);
  return {};
}

void AddFraction(const ParserInput& input, const float* box, float confidence, int class_id,
                 std::vector<Detection>& detections) {
  const float width = static_cast<float>(input.network_width);
  const float height = static_cast<float>(input.network_height);
  AddCorners(box[0] * width, box[1] * height, box[2] * width, box[3] * height, confidence, class_id,
             detections);
}

void ParseDense(const ParserInput& input, const Roles& roles, std::vector<Detection>& detections) {
  const int64_t columns = roles.scores->dims[1];
  const int64_t background = columns - input.class_count;  // 1 when column 0 is the background
  for (int64_t i = 0; i < roles.boxes->dims[0]; ++i) {
    const float* scores = roles.scores->floats() + i * columns + background;
    for (int c = 0; c < input.class_count; ++c) {
      if (!(scores[c] >= input.thresholds[static_cast<size_t>(c)])) continue;
      AddFraction(input, roles.boxes->floats() + i * 4, scores[c], c, detections);
    }
  }
}

void ParseLabelled(const ParserInput& input, const Roles& roles,
                   std::vector<Detection>& detections) {
  for (int64_t i = 0; i < roles.boxes->dims[0]; ++i) {
    const float score = roles.scores->floats()[i];
    if (!(score > 0)) continue;  // fills up the rows
    const double label = roles.labels->type == ElementType::kInt64
                             ? static_cast<double>(roles.labels->integers()[i])
                             : static_cast<double>(roles.labels->floats()[i]);
    if (!(label >= 0 && label < input.class_count)) {
      throw Error(ErrorKind::kModel,
                  "the model gave label " + std::to_string(label) + ", but there are only " +
                      std::to_string(input.class_count) +
                      " classes; make num-detected-classes and the labels those of the model");
    }
    const int class_id = static_cast<int>(label);
    if (!(score >= input.thresholds[static_cast<size_t>(class_id)])) continue;
    AddFraction(input, roles.boxes->floats() + i * 4, score, class_id, detections);
  }
}

}  // namespace

std::string CheckSsd(const ParserInput& input) {
  const Roles roles = FindRoles(input);
  if (roles.boxes == nullptr || !IsFloats(*roles.boxes, {-1, 4})) {
    return "boxes [N,4] and their scores must be the outputs (choose them with output-blob-names)";
  }
  const int64_t count = roles.boxes->dims[0];
  if (input.outputs.size() == 2) {
    const int64_t classes = input.class_count;
    if (IsFloats(*roles.scores, {count, classes}) ||
        IsFloats(*roles.scores, {count, classes + 1})) {
      return "";
    }
    return "for " + std::to_string(count) + " boxes and " + std::to_string(classes) +
           " classes the scores must be [" + std::to_string(count) + "," + std::to_string(classes) +
           "] or [" + std::to_string(count) + "," + std::to_string(classes + 1) + "]";
  }
  if (roles.scores == nullptr || roles.labels == nullptr || roles.scores->dims[0] != count ||
      roles.labels->dims[0] != count) {
    return "beside the boxes there must be scores [N] and labels [N] of as many rows";
  }
  return "";
}

void ParseSsd(const ParserInput& input, std::vector<Detection>& detections) {
  const Roles roles = FindRoles(input);
  if (roles.labels != nullptr) {
    ParseLabelled(input, roles, detections);
  } else {
    ParseDense(input, roles, detections);
  }
}

}  // namespace sightline
