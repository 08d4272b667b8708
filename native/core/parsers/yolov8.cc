#include <algorithm>

#include "core/parsers/formats.h"

namespace sightline {
namespace {

constexpr int64_t kBox = 4;
constexpr int64_t kBlock =
    256;  // candidates at a time: best scores and classes stay in the L1 cache

// The best class of each of `count` candidates, whose scores lie class by class, `stride` apart.
void FindBest(const float* scores, int64_t stride, int class_count, int64_t count, float* best,
              int* best_class) {
  std::fill_n(best, count, -1.0f);
  std::fill_n(best_class, count, 0);
  for (int c = 0; c < class_count; ++c, scores += stride) {
    for (int64_t i = 0; i < count; ++i) {
      const bool better = scores[i] > best[i];
      best[i] = better ? scores[i] : best[i];
      best_class[i] = better ? c : best_class[i];
    }
  }
}

}  // namespace

std::string CheckYoloV8(const ParserInput& input) {
  if (input.outputs.size() != 1) return "there must be exactly one output";
  const TensorView& output = input.outputs[0];
  const int64_t rows = kBox + input.class_count;
  if (IsFloats(output, {rows, -1})) return "";
  const std::string wanted = "for " + std::to_string(input.class_count) +
                             " classes its first dimension must be " + std::to_string(rows);
  if (IsFloats(output, {-1, rows})) return wanted + " (this one is transposed)";
  if (IsFloats(output, {-1, rows + 1})) return wanted + " (this one is in YOLOv5's form)";
  return wanted;
}

void ParseYoloV8(const ParserInput& input, std::vector<Detection>& detections) {
  const TensorView& output = input.outputs[0];
  const int64_t count = output.dims[1];
  const float* boxes = output.floats();
  float best[kBlock];
  int best_class[kBlock];
  for (int64_t start = 0; start < count; start += kBlock) {
    const int64_t size = std::min(kBlock, count - start);
    FindBest(boxes + kBox * count + start, count, input.class_count, size, best, best_class);
    for (int64_t i = 0; i < size; ++i) {
      if (!(best[i] >= input.thresholds[static_cast<size_t>(best_class[i])])) continue;
      const float* box = boxes + start + i;
      AddCentred(box[0], box[count], box[2 * count], box[3 * count], best[i], best_class[i],
                 detections);
    }
  }
}

}  // namespace sightline
