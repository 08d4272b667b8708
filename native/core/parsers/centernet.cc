#include "core/error.h"
#include "core/parsers/formats.h"

namespace sightline {
namespace {

constexpr int kRow = 6;  // x1, y1, x2, y2, score, class

}  // namespace

std::string CheckCenterNet(const ParserInput& input) {
  if (input.outputs.size() != 1) return "there must be exactly one output";
  if (!IsFloats(input.outputs[0], {-1, kRow})) return "its rows must be six float32 numbers";
  return "";
}

// The rows are peaks of the heat map already, best first.
void ParseCenterNet(const ParserInput& input, std::vector<Detection>& detections) {
  const float* row = input.outputs[0].floats();
  const int64_t count = input.outputs[0].dims[0];
  for (int64_t i = 0; i < count; ++i, row += kRow) {
    const float score = row[4];
    if (!(score > 0)) continue;  // fills up the rows when there are few peaks
    const float class_number = row[5];
    if (!(class_number >= 0 && class_number < static_cast<float>(input.class_count))) {
      throw Error(ErrorKind::kModel,
                  "the model gave class " + std::to_string(class_number) + ", but there are only " +
                      std::to_string(input.class_count) +
                      " classes; make num-detected-classes and the labels those of the model");
    }
    const int class_id = static_cast<int>(class_number);
    if (!(score >= input.thresholds[static_cast<size_t>(class_id)])) continue;
    AddCorners(row[0], row[1], row[2], row[3], score, class_id, detections);
  }
}

}  // namespace sightline
