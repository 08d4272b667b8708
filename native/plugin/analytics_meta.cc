#include "plugin/analytics_meta.h"

#include <algorithm>
#include <string>

namespace {

constexpr char kApiName[] = "SlAnalyticsMetaAPI";
constexpr char kMetaName[] = "SlAnalyticsMeta";
constexpr char kStructure[] = "analytics";
constexpr char kZones[] = "zones";
constexpr char kOvercrowded[] = "overcrowded_zones";
constexpr char kLines[] = "lines_crossed";
constexpr char kDirection[] = "direction";
constexpr char kStopped[] = "stopped";

using Texts = std::vector<std::string_view>;

SlAnalyticsMeta* Get(GstBuffer* buffer) {
  return reinterpret_cast<SlAnalyticsMeta*>(
      gst_buffer_get_meta(buffer, SlAnalyticsMetaApiGetType()));
}

SlAnalyticsMeta* Ensure(GstBuffer* buffer) {
  if (SlAnalyticsMeta* present = Get(buffer)) return present;
  return reinterpret_cast<SlAnalyticsMeta*>(
      gst_buffer_add_meta(buffer, SlAnalyticsMetaGetInfo(), nullptr));
}

gboolean Init(GstMeta* meta, gpointer, GstBuffer*) {
  auto* analytics = reinterpret_cast<SlAnalyticsMeta*>(meta);
  analytics->zones = g_array_new(FALSE, FALSE, sizeof(SlZoneCount));
  analytics->lines = g_array_new(FALSE, FALSE, sizeof(SlLineCount));
  return TRUE;
}

void Free(GstMeta* meta, GstBuffer*) {
  auto* analytics = reinterpret_cast<SlAnalyticsMeta*>(meta);
  g_array_unref(analytics->zones);
  g_array_unref(analytics->lines);
}

// Scaling, converting or coding a picture does not change what was counted on it. A buffer that has
// counts already (a transformation called twice) keeps them.
gboolean Transform(GstBuffer* to, GstMeta* meta, GstBuffer*, GQuark, gpointer) {
  if (Get(to) != nullptr) return TRUE;
  const auto* from = reinterpret_cast<const SlAnalyticsMeta*>(meta);
  SlAnalyticsMeta* copy = Ensure(to);
  if (copy == nullptr) return FALSE;
  g_array_append_vals(copy->zones, from->zones->data, from->zones->len);
  g_array_append_vals(copy->lines, from->lines->data, from->lines->len);
  return TRUE;
}

GType RegisterApi() {
  if (const GType known = g_type_from_name(kApiName)) return known;
  static const gchar* no_tags[] = {nullptr};
  return gst_meta_api_type_register(kApiName, no_tags);
}

const GstMetaInfo* RegisterInfo() {
  if (const GstMetaInfo* known = gst_meta_get_info(kMetaName)) return known;
  return gst_meta_register(SlAnalyticsMetaApiGetType(), kMetaName, sizeof(SlAnalyticsMeta), Init,
                           Free, Transform);
}

GQuark QuarkOf(std::string_view text) { return g_quark_from_string(std::string(text).c_str()); }

void SetTexts(GstStructure* structure, const char* field, const Texts& texts) {
  if (texts.empty()) return;
  GValue list = G_VALUE_INIT;
  g_value_init(&list, GST_TYPE_ARRAY);
  for (const std::string_view text : texts) {
    GValue item = G_VALUE_INIT;
    g_value_init(&item, G_TYPE_STRING);
    g_value_take_string(&item, g_strndup(text.data(), text.size()));
    gst_value_array_append_and_take_value(&list, &item);
  }
  gst_structure_take_value(structure, field, &list);
}

void AddTexts(const GstStructure* structure, const char* field, Texts* texts) {
  const GValue* list = gst_structure_get_value(structure, field);
  if (list == nullptr || !GST_VALUE_HOLDS_ARRAY(list)) return;
  for (guint i = 0; i < gst_value_array_get_size(list); ++i) {
    const GValue* item = gst_value_array_get_value(list, i);
    if (G_VALUE_HOLDS_STRING(item)) texts->push_back(g_value_get_string(item));
  }
}

void Sort(Texts* texts) {
  if (texts->size() > 1) std::sort(texts->begin(), texts->end());
}

template <class Count>
bool IsBefore(const Count& a, const Count& b) {
  return a.id < b.id;
}

}  // namespace

GType SlAnalyticsMetaApiGetType() {
  static const GType type = RegisterApi();
  return type;
}

const GstMetaInfo* SlAnalyticsMetaGetInfo() {
  static const GstMetaInfo* const info = RegisterInfo();
  return info;
}

void SlAddFrameAnalytics(GstBuffer* buffer, const sightline::FrameAnalytics& counts) {
  SlAnalyticsMeta* analytics = Ensure(buffer);
  for (const sightline::ZoneCount& zone : counts.zones) {
    const SlZoneCount count = {QuarkOf(zone.id), zone.objects, zone.overcrowded};
    g_array_append_val(analytics->zones, count);
  }
  for (const sightline::LineCount& line : counts.lines) {
    const SlLineCount count = {QuarkOf(line.id), line.crossings, line.crossings_total};
    g_array_append_val(analytics->lines, count);
  }
}

void SlAddObjectAnalytics(GstVideoRegionOfInterestMeta* region,
                          const sightline::ObjectAnalytics& results) {
  if (results.zones.empty() && results.overcrowded_zones.empty() && results.lines_crossed.empty() &&
      results.direction.empty() && !results.stopped) {
    return;
  }
  GstStructure* structure = gst_structure_new_empty(kStructure);
  SetTexts(structure, kZones, results.zones);
  SetTexts(structure, kOvercrowded, results.overcrowded_zones);
  SetTexts(structure, kLines, results.lines_crossed);
  if (!results.direction.empty()) {
    gst_structure_set(structure, kDirection, G_TYPE_STRING, std::string(results.direction).c_str(),
                      nullptr);
  }
  if (results.stopped) gst_structure_set(structure, kStopped, G_TYPE_BOOLEAN, TRUE, nullptr);
  gst_video_region_of_interest_meta_add_param(region, structure);
}

void SlReadFrameAnalytics(GstBuffer* buffer, sightline::FrameAnalytics* counts) {
  counts->zones.clear();
  counts->lines.clear();
  const SlAnalyticsMeta* analytics = Get(buffer);
  if (analytics == nullptr) return;
  for (guint i = 0; i < analytics->zones->len; ++i) {
    const auto& zone = g_array_index(analytics->zones, SlZoneCount, i);
    counts->zones.push_back({g_quark_to_string(zone.id), zone.objects, zone.overcrowded != FALSE});
  }
  for (guint i = 0; i < analytics->lines->len; ++i) {
    const auto& line = g_array_index(analytics->lines, SlLineCount, i);
    counts->lines.push_back({g_quark_to_string(line.id), line.crossings, line.crossings_total});
  }
  std::sort(counts->zones.begin(), counts->zones.end(), IsBefore<sightline::ZoneCount>);
  std::sort(counts->lines.begin(), counts->lines.end(), IsBefore<sightline::LineCount>);
  // A zone and its overcrowding may come from two elements.
  auto& zones = counts->zones;
  for (std::size_t i = 1; i < zones.size();) {
    if (zones[i].id != zones[i - 1].id) {
      ++i;
      continue;
    }
    zones[i - 1].objects = std::max(zones[i - 1].objects, zones[i].objects);
    zones[i - 1].overcrowded |= zones[i].overcrowded;
    zones.erase(zones.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

void SlReadObjectAnalytics(const GstVideoRegionOfInterestMeta* region,
                           sightline::ObjectAnalytics* results) {
  for (const GList* param = region->params; param != nullptr; param = param->next) {
    const auto* structure = static_cast<const GstStructure*>(param->data);
    if (!gst_structure_has_name(structure, kStructure)) continue;
    AddTexts(structure, kZones, &results->zones);
    AddTexts(structure, kOvercrowded, &results->overcrowded_zones);
    AddTexts(structure, kLines, &results->lines_crossed);
    const gchar* direction = gst_structure_get_string(structure, kDirection);
    if (direction != nullptr && (results->direction.empty() || direction < results->direction)) {
      results->direction = direction;
    }
    gboolean stopped = FALSE;
    if (gst_structure_get_boolean(structure, kStopped, &stopped)) {
      results->stopped |= stopped != FALSE;
    }
  }
  Sort(&results->zones);
  Sort(&results->overcrowded_zones);
  Sort(&results->lines_crossed);
}
