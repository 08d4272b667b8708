#include <algorithm>

#include "deepstream/reader/frame_reader.h"
#include "deepstream/reader/meta_list.h"
#include "deepstream/reader/meta_text.h"

// The part of FrameReader that reads what nvdsanalytics counted on a frame.
namespace sightline {
namespace {

std::string_view Id(const std::string& text) { return MetaText(text.data(), text.size()); }

template <class Map>
typename Map::mapped_type Find(const Map& map, const std::string& key) {
  const auto at = map.find(key);
  return at == map.end() ? typename Map::mapped_type{} : at->second;
}

void AddCounts(const nvds::NvDsAnalyticsFrameMeta& found, FrameAnalytics* out) {
  for (const auto& [id, objects] : found.objInROIcnt) {
    out->zones.push_back({Id(id), objects, Find(found.ocStatus, id)});
  }
  for (const auto& [id, overcrowded] : found.ocStatus) {
    if (found.objInROIcnt.count(id) == 0) out->zones.push_back({Id(id), 0, overcrowded});
  }
  for (const auto& [id, total] : found.objLCCumCnt) {
    out->lines.push_back({Id(id), Find(found.objLCCurrCnt, id), total});
  }
  for (const auto& [id, crossings] : found.objLCCurrCnt) {
    if (found.objLCCumCnt.count(id) == 0) out->lines.push_back({Id(id), crossings, crossings});
  }
}

}  // namespace

void FrameReader::ReadAnalytics(const nvds::NvDsFrameMeta& frame, FrameMessage* message) {
  FrameAnalytics& analytics = message->analytics;
  analytics.zones.clear();
  analytics.lines.clear();
  Check(CollectReversedList(frame.frame_user_meta_list, &user_list_));
  for (const nvds::NvDsUserMeta* extra : user_list_) {
    if (extra->base_meta.meta_type != nvds::NVDS_FRAME_META_NVDSANALYTICS) continue;
    if (extra->user_meta_data == nullptr) continue;
    AddCounts(*static_cast<const nvds::NvDsAnalyticsFrameMeta*>(extra->user_meta_data), &analytics);
  }
  // The maps are in no order; messages are.
  const auto by_id = [](const auto& a, const auto& b) { return a.id < b.id; };
  std::sort(analytics.zones.begin(), analytics.zones.end(), by_id);
  std::sort(analytics.lines.begin(), analytics.lines.end(), by_id);
}

}  // namespace sightline
