#pragma once

#include <cstdint>

#include "deepstream/abi/osd.h"

// DeepStream 9.x: what nvtracker reports beside the objects of a frame. See meta.h.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <nvds_tracker_meta.h>

namespace sightline::nvds {
using ::ACTIVE;
using ::EMPTY;
using ::INACTIVE;
using ::NvDsObjReid;
using ::NvDsTargetMiscDataBatch;
using ::NvDsTargetMiscDataFrame;
using ::NvDsTargetMiscDataObject;
using ::NvDsTargetMiscDataStream;
using ::PROJECTED;
using ::QUASIACTIVE;
using ::TENTATIVE;
using ::TRACKER_STATE;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

enum TRACKER_STATE : unsigned int {
  EMPTY = 0,
  ACTIVE = 1,
  INACTIVE = 2,
  TENTATIVE = 3,
  PROJECTED = 4,
  QUASIACTIVE = 5,  // confirmed by other cameras
};

struct NvDsTargetMiscDataFrame {
  std::uint32_t frameNum;
  NvOSD_RectParams tBbox;
  float confidence;
  std::uint32_t age;
  TRACKER_STATE trackerState;
  float visibility;
  float ptWorldFeet[2];
};

struct NvDsTargetMiscDataObject {
  NvDsTargetMiscDataFrame* list;
  std::uint32_t numObj;
  std::uint32_t numAllocated;  // nvtracker sets it for terminated tracks only
  std::uint64_t uniqueId;
  std::uint16_t classId;
  char objLabel[128];  // nvtracker sets it for past frames only
};

struct NvDsTargetMiscDataStream {
  NvDsTargetMiscDataObject* list;
  std::uint32_t streamID;  // NvDsFrameMeta.pad_index
  std::uint64_t surfaceStreamID;
  std::uint32_t numAllocated;
  std::uint32_t numFilled;
};

struct NvDsTargetMiscDataBatch {
  NvDsTargetMiscDataStream* list;
  std::uint32_t numAllocated;
  std::uint32_t numFilled;
  void* priv_data;
};

struct NvDsObjReid {
  std::uint32_t featureSize;
  float* ptr_host;  // [featureSize]
  float* ptr_dev;
};

}  // namespace sightline::nvds

#endif
