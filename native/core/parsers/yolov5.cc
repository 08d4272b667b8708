#include <algorithm>

#include "core/parsers/formats.h"

namespace sightline {
namespace {

constexpr int64_t kClasses = 5;  // after centre x, centre y, width, height, objectness

}  // namespace

std::string CheckYoloV5(const ParserInput& input) {
  if (input.outputs.size() != 1)
    return "there must be exactly one output (choose it with output-blob-names)";
  const TensorView& output = input.outputs[0];
  const int64_t row = kClasses + input.class_count;
  if (IsFloats(output, {-1, row})) return "";
  const std::string wanted = "for " + std::to_string(input.class_count) +
                             " classes its last dimension must be " + std::to_string(row);
  if (IsFloats(output, {row - 1, -1})) return wanted + " (this one is in YOLOv8's form)";
  return wanted;
}

void ParseYoloV5(const ParserInput& input, std::vector<Detection>& detections) {
  const TensorView& output = input.outputs[0];
  const int64_t row_size = kClasses + input.class_count;
  const float least = *std::min_element(input.thresholds.begin(), input.thresholds.end());
  const float* row = output.floats();
  for (int64_t i = 0; i < output.dims[0]; ++i, row += row_size) {
    // A class score is at most 1, so that objectness alone rules most rows out.
    if (!(row[4] >= least)) continue;
    const float* best = std::max_element(row + kClasses, row + row_size);
    const int class_id = static_cast<int>(best - row - kClasses);
    const float confidence = row[4] * *best;
    if (!(confidence >= input.thresholds[static_cast<size_t>(class_id)])) continue;
    AddCentred(row[0], row[1], row[2], row[3], confidence, class_id, detections);
  }
}

}  // namespace sightline
