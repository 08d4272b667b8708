#include <algorithm>
#include <cmath>

#include "core/parsers/formats.h"

namespace sightline {
namespace {

constexpr int64_t kClasses = 5;  // after x, y, log width, log height, objectness
constexpr int kStrides[] = {8, 16, 32, 64};

// How many of the strides, from the finest, have `rows` cells together; 0 when none fit.
int CountStrides(const ParserInput& input, int64_t rows) {
  int64_t cells = 0;
  int used = 0;
  for (int stride : kStrides) {
    if (input.network_width % stride != 0 || input.network_height % stride != 0) break;
    cells += static_cast<int64_t>(input.network_width / stride) * (input.network_height / stride);
    ++used;
    if (cells == rows && used >= 3) return used;
  }
  return 0;
}

}  // namespace

std::string CheckYoloX(const ParserInput& input) {
  if (input.outputs.size() != 1) return "there must be exactly one output";
  const TensorView& output = input.outputs[0];
  if (!IsFloats(output, {-1, kClasses + input.class_count})) {
    return "for " + std::to_string(input.class_count) + " classes its last dimension must be " +
           std::to_string(kClasses + input.class_count);
  }
  if (CountStrides(input, output.dims[0]) == 0) {
    return std::to_string(output.dims[0]) +
           " rows are not the cells of strides 8, 16 and 32 (and "
           "64) on " +
           std::to_string(input.network_width) + "x" + std::to_string(input.network_height) +
           " pixels";
  }
  return "";
}

void ParseYoloX(const ParserInput& input, std::vector<Detection>& detections) {
  const TensorView& output = input.outputs[0];
  const int64_t row_size = kClasses + input.class_count;
  const float least = *std::min_element(input.thresholds.begin(), input.thresholds.end());
  const float* row = output.floats();
  const int used = CountStrides(input, output.dims[0]);
  for (int s = 0; s < used; ++s) {
    const float stride = static_cast<float>(kStrides[s]);
    for (int y = 0; y < input.network_height / kStrides[s]; ++y) {
      for (int x = 0; x < input.network_width / kStrides[s]; ++x, row += row_size) {
        if (!(row[4] >= least)) continue;
        const float* best = std::max_element(row + kClasses, row + row_size);
        const int class_id = static_cast<int>(best - row - kClasses);
        const float confidence = row[4] * *best;
        if (!(confidence >= input.thresholds[static_cast<size_t>(class_id)])) continue;
        AddCentred((row[0] + static_cast<float>(x)) * stride,
                   (row[1] + static_cast<float>(y)) * stride, std::exp(row[2]) * stride,
                   std::exp(row[3]) * stride, confidence, class_id, detections);
      }
    }
  }
}

}  // namespace sightline
