#pragma once

#include <vector>

// DeepStream 9.x: what nvinfer hands a library's box parser. See meta.h.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <nvdsinfer_custom_impl.h>

namespace sightline::nvds {
using ::FLOAT;
using ::HALF;
using ::INT32;
using ::INT64;
using ::INT8;
using ::NvDsInferDataType;
using ::NvDsInferDims;
using ::NvDsInferLayerInfo;
using ::NvDsInferNetworkInfo;
using ::NvDsInferObjectDetectionInfo;
using ::NvDsInferParseDetectionParams;
using ::UINT8;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

struct NvDsInferDims {
  unsigned int numDims;
  unsigned int d[8];  // without the batch
  unsigned int numElements;
};

enum NvDsInferDataType : unsigned int {
  FLOAT = 0,
  HALF = 1,
  INT8 = 2,
  INT32 = 3,
  INT64 = 4,
  UINT8 = 5,
};

struct NvDsInferLayerInfo {
  NvDsInferDataType dataType;
  NvDsInferDims inferDims;
  int bindingIndex;
  const char* layerName;
  void* buffer;  // in the host's memory
  int isInput;
};

struct NvDsInferNetworkInfo {
  unsigned int width;  // pixels
  unsigned int height;
  unsigned int channels;
};

struct NvDsInferParseDetectionParams {
  unsigned int numClassesConfigured;
  std::vector<float> perClassPreclusterThreshold;
  std::vector<float> perClassPostclusterThreshold;
  std::vector<float>& perClassThreshold = perClassPreclusterThreshold;
};

struct NvDsInferObjectDetectionInfo {
  unsigned int classId;
  float left;  // pixels of the network's input
  float top;
  float width;
  float height;
  float detectionConfidence;
  float rotation_angle;  // radians; 0 upright
};

}  // namespace sightline::nvds

#endif
