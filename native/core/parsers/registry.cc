#include "core/parsers/formats.h"
#include "core/parsers/parser.h"

namespace sightline {

const std::vector<Parser>& Parsers() {
  static const std::vector<Parser> kParsers = {
      {"SightlineParseCenterNet", "one float32 output [K,6] of x1, y1, x2, y2, score, class",
       CheckCenterNet, ParseCenterNet},
      {"SightlineParseYoloV8",
       "one float32 output [4+C,N] of centre x, centre y, width, height and "
       "C class scores",
       CheckYoloV8, ParseYoloV8},
      {"SightlineParseYoloV5",
       "one float32 output [N,5+C] of centre x, centre y, width, height, "
       "objectness and C class scores",
       CheckYoloV5, ParseYoloV5},
      {"SightlineParseYoloX",
       "one float32 output [N,5+C], not decoded, N the cells of strides 8, 16 "
       "and 32 (and 64)",
       CheckYoloX, ParseYoloX},
      {"SightlineParseSsd",
       "float32 boxes [N,4] (x1, y1, x2, y2 from 0 to 1) with either float32 "
       "scores [N,C] or [N,1+C] (background first), or float32 scores [N] and "
       "int64 or float32 labels [N]",
       CheckSsd, ParseSsd},
      {"SightlineParseDetr",
       "float32 boxes [N,4] (centre x, centre y, width, height from 0 to 1) and "
       "float32 logits [N,C+1] (softmax, the last is 'no object') or [N,C] "
       "(sigmoid)",
       CheckDetr, ParseDetr},
  };
  return kParsers;
}

const Parser* FindParser(const std::string& symbol) {
  for (const Parser& parser : Parsers()) {
    if (symbol == parser.symbol) return &parser;
  }
  return nullptr;
}

std::string ListParsers() {
  std::string text;
  for (const Parser& parser : Parsers()) {
    if (!text.empty()) text += ", ";
    text += parser.symbol;
  }
  return text;
}

}  // namespace sightline
