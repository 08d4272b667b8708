#pragma once

#include <string>
#include <vector>

#include "core/parsers/parser.h"
#include "deepstream/abi/infer.h"

namespace sightline {

// nvinfer's output layers as a parser's input. 32-bit integers and 16-bit floats are widened: which
// of them a network ends in is TensorRT's choice, not the model's. Keeps its memory.
class LayerTensors {
 public:
  // Fills `input`; it holds until the layers' buffers are gone or the next call. Gives the reason
  // why not, or an empty text.
  std::string Read(const std::vector<nvds::NvDsInferLayerInfo>& layers,
                   const nvds::NvDsInferNetworkInfo& network,
                   const nvds::NvDsInferParseDetectionParams& params, ParserInput* input);

 private:
  std::string ReadLayer(const nvds::NvDsInferLayerInfo& layer, std::size_t index, TensorView* out);

  std::vector<std::vector<float>> floats_;  // widened, by layer
  std::vector<std::vector<int64_t>> integers_;
};

}  // namespace sightline
