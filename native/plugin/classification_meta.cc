#include "plugin/classification_meta.h"

#include <algorithm>
#include <string>

namespace {

constexpr char kClassification[] = "classification";

std::string_view TextOf(const GstStructure* structure, const char* field) {
  const gchar* text = gst_structure_get_string(structure, field);
  return text != nullptr ? text : "";
}

}  // namespace

void SlAddClassification(GstVideoRegionOfInterestMeta* region,
                         const sightline::Classification& item) {
  gst_video_region_of_interest_meta_add_param(
      region, gst_structure_new(kClassification, "component", G_TYPE_UINT, item.component,
                                "attribute", G_TYPE_STRING, std::string(item.attribute).c_str(),
                                "label", G_TYPE_STRING, std::string(item.label).c_str(),
                                "confidence", G_TYPE_DOUBLE, static_cast<double>(item.confidence),
                                "value", G_TYPE_INT, static_cast<gint>(item.value), nullptr));
}

void SlReadClassifications(const GstVideoRegionOfInterestMeta* region,
                           std::vector<sightline::Classification>* items) {
  items->clear();
  if (region == nullptr) return;
  for (const GList* param = region->params; param != nullptr; param = param->next) {
    const auto* structure = static_cast<const GstStructure*>(param->data);
    if (!gst_structure_has_name(structure, kClassification)) continue;
    sightline::Classification item;
    gdouble confidence = 0;
    gint value = 0;
    gst_structure_get_uint(structure, "component", &item.component);
    gst_structure_get_double(structure, "confidence", &confidence);
    gst_structure_get_int(structure, "value", &value);
    item.attribute = TextOf(structure, "attribute");
    item.label = TextOf(structure, "label");
    item.confidence = static_cast<float>(confidence);
    item.value = static_cast<std::uint32_t>(std::max(0, value));
    items->push_back(item);
  }
  std::stable_sort(items->begin(), items->end(),
                   [](const auto& a, const auto& b) { return a.component < b.component; });
}
