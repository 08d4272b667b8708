#include <algorithm>
#include <cstdio>
#include <exception>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "core/parsers/parser.h"
#include "deepstream/abi/infer.h"
#include "deepstream/parsers/layer_tensors.h"

// libsightline_parsers.so: every parser of core/parsers under its own name, as nvinfer looks it up
// (custom-lib-path, parse-bbox-func-name). slinfer runs the same code, so that one configuration
// file gives the same boxes on both.

namespace {

using namespace sightline;

// Once for each reason: nvinfer calls for every frame.
void Complain(const Parser& parser, const std::string& reason) {
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::string text = std::string(parser.symbol) + ": " + reason;
  const std::lock_guard<std::mutex> lock(mutex);
  if (said.size() >= 100 || !said.insert(text).second) return;
  std::fprintf(stderr, "sightline: %s\n", text.c_str());
}

// The part of a box that is inside of the network's input: nvinfer moves boxes that reach beyond
// the left or the top instead of cutting them.
bool Clip(const ParserInput& input, Detection* box) {
  const float right = std::min(box->left + box->width, static_cast<float>(input.network_width));
  const float bottom = std::min(box->top + box->height, static_cast<float>(input.network_height));
  box->left = std::max(box->left, 0.0F);
  box->top = std::max(box->top, 0.0F);
  box->width = right - box->left;
  box->height = bottom - box->top;
  return box->width > 0 && box->height > 0;
}

bool Run(const Parser& parser, const std::vector<nvds::NvDsInferLayerInfo>& layers,
         const nvds::NvDsInferNetworkInfo& network,
         const nvds::NvDsInferParseDetectionParams& params,
         std::vector<nvds::NvDsInferObjectDetectionInfo>& objects) {
  // nvinfer's threads each keep what a frame needs.
  thread_local LayerTensors tensors;
  thread_local ParserInput input;
  thread_local std::vector<Detection> detections;
  std::string problem = tensors.Read(layers, network, params, &input);
  if (problem.empty()) problem = parser.check(input);
  if (!problem.empty()) {
    Complain(parser, "cannot read the outputs of this network (" + Describe(input.outputs) +
                         "): " + problem + ". It expects " + parser.expects +
                         "; choose another parse-bbox-func-name or output-blob-names");
    return false;
  }
  detections.clear();
  parser.parse(input, detections);
  for (Detection& box : detections) {
    if (!Clip(input, &box)) continue;
    nvds::NvDsInferObjectDetectionInfo object{};
    object.classId = static_cast<unsigned>(box.class_id);
    object.left = box.left;
    object.top = box.top;
    object.width = box.width;
    object.height = box.height;
    object.detectionConfidence = box.confidence;
    objects.push_back(object);
  }
  return true;
}

// Nothing is thrown into nvinfer, which could not catch it.
bool Parse(const char* symbol, const std::vector<nvds::NvDsInferLayerInfo>& layers,
           const nvds::NvDsInferNetworkInfo& network,
           const nvds::NvDsInferParseDetectionParams& params,
           std::vector<nvds::NvDsInferObjectDetectionInfo>& objects) noexcept {
  try {
    const Parser* parser = FindParser(symbol);
    if (parser == nullptr) return false;
    try {
      return Run(*parser, layers, network, params, objects);
    } catch (const std::exception& error) {
      Complain(*parser, error.what());
    }
  } catch (...) {
    std::fputs("sightline: a box parser failed\n", stderr);
  }
  return false;
}

}  // namespace

#define SIGHTLINE_EXPORT(symbol)                                  \
  extern "C" __attribute__((visibility("default"))) bool symbol(  \
      const std::vector<nvds::NvDsInferLayerInfo>& layers,        \
      const nvds::NvDsInferNetworkInfo& network,                  \
      const nvds::NvDsInferParseDetectionParams& params,          \
      std::vector<nvds::NvDsInferObjectDetectionInfo>& objects) { \
    return Parse(#symbol, layers, network, params, objects);      \
  }

// A test compares the list with the registry's.
SIGHTLINE_EXPORT(SightlineParseCenterNet)
SIGHTLINE_EXPORT(SightlineParseYoloV8)
SIGHTLINE_EXPORT(SightlineParseYoloV5)
SIGHTLINE_EXPORT(SightlineParseYoloX)
SIGHTLINE_EXPORT(SightlineParseSsd)
SIGHTLINE_EXPORT(SightlineParseDetr)
