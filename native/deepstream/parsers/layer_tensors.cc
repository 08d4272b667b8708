#include "deepstream/parsers/layer_tensors.h"

#include <cmath>
#include <cstdint>
#include <limits>

namespace sightline {
namespace {

constexpr unsigned kMaxDims = 8;

// IEEE 754 binary16.
float Widen(std::uint16_t half) {
  const int exponent = half >> 10 & 0x1F;
  const int fraction = half & 0x3FF;
  const float sign = (half & 0x8000) != 0 ? -1.0F : 1.0F;
  if (exponent == 0x1F) {
    return fraction == 0 ? sign * std::numeric_limits<float>::infinity()
                         : std::numeric_limits<float>::quiet_NaN();
  }
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(fraction), -24);
  return sign * std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
}

}  // namespace

std::string LayerTensors::Read(const std::vector<nvds::NvDsInferLayerInfo>& layers,
                               const nvds::NvDsInferNetworkInfo& network,
                               const nvds::NvDsInferParseDetectionParams& params,
                               ParserInput* input) {
  input->network_width = static_cast<int>(network.width);
  input->network_height = static_cast<int>(network.height);
  input->class_count = static_cast<int>(params.numClassesConfigured);
  input->thresholds = params.perClassPreclusterThreshold;
  if (params.numClassesConfigured == 0 || input->thresholds.size() < params.numClassesConfigured) {
    return "nvinfer gave " + std::to_string(input->thresholds.size()) + " thresholds for " +
           std::to_string(params.numClassesConfigured) + " classes; set num-detected-classes";
  }
  input->thresholds.resize(params.numClassesConfigured);
  input->outputs.clear();
  floats_.resize(layers.size());
  integers_.resize(layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].isInput != 0) continue;
    input->outputs.emplace_back();
    const std::string problem = ReadLayer(layers[i], i, &input->outputs.back());
    if (!problem.empty()) return problem;
  }
  return "";
}

std::string LayerTensors::ReadLayer(const nvds::NvDsInferLayerInfo& layer, std::size_t index,
                                    TensorView* out) {
  out->name = layer.layerName != nullptr ? layer.layerName : "";
  if (layer.inferDims.numDims > kMaxDims) return "layer " + out->name + " has too many dimensions";
  out->dims.assign(layer.inferDims.d, layer.inferDims.d + layer.inferDims.numDims);
  if (layer.buffer == nullptr) return "layer " + out->name + " has no data in the host's memory";
  const std::size_t count = CountElements(out->dims);
  out->data = layer.buffer;
  switch (layer.dataType) {
    case nvds::FLOAT:
      out->type = ElementType::kFloat32;
      return "";
    case nvds::INT64:
      out->type = ElementType::kInt64;
      return "";
    case nvds::HALF: {
      const auto* halves = static_cast<const std::uint16_t*>(layer.buffer);
      std::vector<float>& wide = floats_[index];
      wide.resize(count);
      for (std::size_t i = 0; i < count; ++i) wide[i] = Widen(halves[i]);
      out->type = ElementType::kFloat32;
      out->data = wide.data();
      return "";
    }
    case nvds::INT32: {
      const auto* numbers = static_cast<const std::int32_t*>(layer.buffer);
      integers_[index].assign(numbers, numbers + count);
      out->type = ElementType::kInt64;
      out->data = integers_[index].data();
      return "";
    }
    default:
      return "layer " + out->name + " holds 8-bit integers; a detector's outputs must be floats";
  }
}

}  // namespace sightline
