#pragma once

#include <string>
#include <vector>

#include "core/detection.h"
#include "core/parsers/tensor.h"

namespace sightline {

// What a parser may know: a network's outputs for one picture, and what is wanted of them.
struct ParserInput {
  std::vector<TensorView> outputs;
  int network_width = 0;  // pixels
  int network_height = 0;
  int class_count = 0;
  std::vector<float> thresholds;  // [class_count], least confidence of a detection
};

// One way of reading detections out of a network's outputs. Boxes come out in pixels of the network
// input, unclipped and without suppression; only those at or above their class' threshold, finite
// and not empty.
struct Parser {
  // The name in `parse-bbox-func-name`, and of the function that libsightline_parsers.so exports.
  const char* symbol;
  // What the outputs must be, in words.
  const char* expects;
  // Why these outputs cannot be read, or an empty text. Looks at names, types and dimensions only.
  std::string (*check)(const ParserInput& input);
  // Appends to `detections`. Only for outputs that `check` accepts.
  void (*parse)(const ParserInput& input, std::vector<Detection>& detections);
};

const std::vector<Parser>& Parsers();
// The parser of that symbol, or nullptr.
const Parser* FindParser(const std::string& symbol);
// "SightlineParseCenterNet, SightlineParseYoloV8, ...", for messages.
std::string ListParsers();

}  // namespace sightline
