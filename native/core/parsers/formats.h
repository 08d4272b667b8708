#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "core/parsers/parser.h"

// Each format's two functions (see parser.h), one file a format.
namespace sightline {

std::string CheckCenterNet(const ParserInput& input);
void ParseCenterNet(const ParserInput& input, std::vector<Detection>& detections);
std::string CheckYoloV8(const ParserInput& input);
void ParseYoloV8(const ParserInput& input, std::vector<Detection>& detections);
std::string CheckYoloV5(const ParserInput& input);
void ParseYoloV5(const ParserInput& input, std::vector<Detection>& detections);
std::string CheckYoloX(const ParserInput& input);
void ParseYoloX(const ParserInput& input, std::vector<Detection>& detections);
std::string CheckSsd(const ParserInput& input);
void ParseSsd(const ParserInput& input, std::vector<Detection>& detections);
std::string CheckDetr(const ParserInput& input);
void ParseDetr(const ParserInput& input, std::vector<Detection>& detections);

// Appends a box given by its corners, unless it is empty or not finite.
inline void AddCorners(float left, float top, float right, float bottom, float confidence,
                       int class_id, std::vector<Detection>& detections) {
  const float width = right - left;
  const float height = bottom - top;
  if (!(width > 0) || !(height > 0) || !std::isfinite(left + top + width + height)) return;
  detections.push_back({left, top, width, height, confidence, class_id});
}

// The same for a box given by its centre.
inline void AddCentred(float x, float y, float width, float height, float confidence, int class_id,
                       std::vector<Detection>& detections) {
  AddCorners(x - width / 2, y - height / 2, x + width / 2, y + height / 2, confidence, class_id,
             detections);
}

// True for a float32 tensor of these dimensions; -1 stands for any.
inline bool IsFloats(const TensorView& tensor, const std::vector<int64_t>& dims) {
  if (tensor.type != ElementType::kFloat32 || tensor.dims.size() != dims.size()) return false;
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] >= 0 && tensor.dims[i] != dims[i]) return false;
  }
  return true;
}

}  // namespace sightline
