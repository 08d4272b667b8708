#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "deepstream/abi/meta.h"

// DeepStream 9.x: results of nvdsanalytics. C++ containers, so both sides must have libstdc++'s new
// ABI; the sizes in abi-9.1.tsv hold for it alone. See meta.h.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <nvds_analytics_meta.h>

namespace sightline::nvds {
using ::NvDsAnalyticsFrameMeta;
using ::NvDsAnalyticsObjInfo;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

// Keys and list items are the labels of the configuration file.
struct NvDsAnalyticsObjInfo {
  std::vector<std::string> roiStatus;
  std::vector<std::string> ocStatus;
  std::vector<std::string> lcStatus;
  std::string dirStatus;  // " DIR:<label> ", one behind the other
  guint unique_id;
  std::string objStatus;  // everything, as text to draw; holds " STOPPED " for one that rests
};

struct NvDsAnalyticsFrameMeta {
  std::unordered_map<std::string, bool> ocStatus;
  std::unordered_map<std::string, std::uint32_t> objInROIcnt;  // of overcrowding regions too
  std::unordered_map<std::string, std::uint64_t> objLCCurrCnt;
  std::unordered_map<std::string, std::uint64_t> objLCCumCnt;
  guint unique_id;
  std::unordered_map<int, std::uint32_t> objCnt;
};

}  // namespace sightline::nvds

#endif
