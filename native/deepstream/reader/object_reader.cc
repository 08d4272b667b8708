#include <algorithm>
#include <cmath>

#include "deepstream/reader/frame_reader.h"
#include "deepstream/reader/meta_list.h"
#include "deepstream/reader/meta_text.h"

// The part of FrameReader that reads one object.
namespace sightline {
namespace {

constexpr std::uint64_t kUntracked = UINT64_MAX;
constexpr char kDirectionPrefix[] = "DIR:";
constexpr char kStopped[] = "STOPPED";

// Scores are 0 to 1; a negative one says that there is none.
float Score(float value) { return value > 0 ? value : 0; }

Box ToBox(const nvds::NvBbox_Coords& box) { return {box.left, box.top, box.width, box.height}; }

Box ToBox(const nvds::NvOSD_RectParams& box) { return {box.left, box.top, box.width, box.height}; }

bool IsEmpty(const Box& box) { return !(box.width > 0) || !(box.height > 0); }

bool IsSame(const Box& a, const Box& b) {
  return a.left == b.left && a.top == b.top && a.width == b.width && a.height == b.height;
}

std::uint32_t Component(gint id) { return id > 0 ? static_cast<std::uint32_t>(id) : 0; }

void AddTexts(const std::vector<std::string>& texts, std::vector<std::string_view>* out) {
  for (const std::string& text : texts) out->push_back(MetaText(text.data(), text.size()));
}

// " DIR:north  DIR:any " holds the labels of every direction that fits; the first of the
// configuration file counts.
std::string_view FirstDirection(const std::string& status) {
  std::string_view text = MetaText(status.data(), status.size());
  const std::size_t start = text.find(kDirectionPrefix);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + sizeof(kDirectionPrefix) - 1);
  const std::size_t next = text.find(kDirectionPrefix);
  if (next != std::string_view::npos) text = text.substr(0, next);
  const std::size_t end = text.find_last_not_of(' ');
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

bool HasWord(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    const std::size_t end = text.find(' ');
    if (text.substr(0, end) == word) return true;
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return false;
}

void AddAnalytics(const nvds::NvDsAnalyticsObjInfo& found, ObjectAnalytics* out) {
  AddTexts(found.roiStatus, &out->zones);
  AddTexts(found.ocStatus, &out->overcrowded_zones);
  AddTexts(found.lcStatus, &out->lines_crossed);
  if (out->direction.empty()) out->direction = FirstDirection(found.dirStatus);
  out->stopped = out->stopped || HasWord(found.objStatus, kStopped);
}

}  // namespace

bool FrameReader::ReadObject(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  ReadBox(object, out);
  Box box{out->detection.left, out->detection.top, out->detection.width, out->detection.height};
  if (out->rotation_deg == 0) {
    if (!space_.Clip(&box)) return false;
    out->detection = {box.left, box.top, box.width, box.height, 0, 0};
  } else if (IsEmpty(box)) {
    return false;
  }
  out->detection.confidence = Score(object.confidence);
  out->detection.class_id = object.class_id;
  out->label = MetaText(object.obj_label, sizeof(object.obj_label));
  out->component = Component(object.unique_component_id);
  ReadTrack(object, out);
  ReadMask(object.mask_params, out);
  ReadLabels(object, out);
  ReadObjectExtras(object, out);
  return true;
}

bool FrameReader::ReadFrameObject(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  ReadLabels(object, out);
  if (out->classifications.empty()) return false;
  out->detection = {0, 0, static_cast<float>(space_.width()), static_cast<float>(space_.height()),
                    0, -1};
  out->label = kFrameObjectLabel;
  out->component = Component(object.unique_component_id);
  return true;
}

void FrameReader::ReadBox(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  const nvds::NvOSD_RectParams& rect = object.rect_params;
  if (std::isfinite(rect.rotation_angle)) out->rotation_deg = rect.rotation_angle;
  const Box found = ToBox(rect);
  const Box box = space_.ToSource(found, &out->rotation_deg);
  out->detection = {box.left, box.top, box.width, box.height, 0, 0};
  const Box detected = ToBox(object.detector_bbox_info.org_bbox_coords);
  if (IsEmpty(detected) || IsSame(detected, found)) return;
  out->detector_box = space_.ToSource(detected);
  out->has_detector_box = space_.Clip(&out->detector_box);
}

// nvtracker puts out only tracks it calls active: those it made up on this frame count the frames
// since a detection confirmed them.
void FrameReader::ReadTrack(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  out->tracked = object.object_id != kUntracked;
  if (!out->tracked) return;
  out->track_id = object.object_id;
  out->track_state = TrackState::kActive;
  out->tracker_confidence = Score(object.tracker_confidence);
  const bool detected = !IsEmpty(ToBox(object.detector_bbox_info.org_bbox_coords));
  out->frames_since_detection = tracks_->SinceDetection(object.object_id, sequence_, detected);
  tracks_->Learn(object.class_id, out->label);
}

void FrameReader::ReadMask(const nvds::NvOSD_MaskParams& mask, FrameObject* out) {
  if (mask.data == nullptr || mask.width == 0 || mask.height == 0) return;
  const std::uint64_t needed = std::uint64_t{mask.width} * mask.height * sizeof(float);
  if (needed > mask.size) {
    Check(false);
    return;
  }
  out->mask = {mask.width, mask.height, mask.threshold, mask.data};
}

void FrameReader::ReadLabels(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  if (object.classifier_meta_list == nullptr) return;
  Check(CollectReversedList(object.classifier_meta_list, &classifier_list_));
  for (const nvds::NvDsClassifierMeta* classifier : classifier_list_) {
    Check(CollectReversedList(classifier->label_info_list, &label_list_));
    const std::string_view attribute = MetaText(classifier->classifier_type);
    for (const nvds::NvDsLabelInfo* label : label_list_) {
      Classification found;
      found.component = Component(classifier->unique_component_id);
      found.attribute = attribute;
      found.label = label->pResult_label != nullptr
                        ? MetaText(label->pResult_label)
                        : MetaText(label->result_label, sizeof(label->result_label));
      found.confidence = Score(label->result_prob);
      found.value = label->result_class_id;
      out->classifications.push_back(found);
    }
  }
}

void FrameReader::ReadObjectExtras(const nvds::NvDsObjectMeta& object, FrameObject* out) {
  if (object.obj_user_meta_list == nullptr) return;
  Check(CollectReversedList(object.obj_user_meta_list, &user_list_));
  for (const nvds::NvDsUserMeta* extra : user_list_) {
    const void* data = extra->user_meta_data;
    if (data == nullptr) continue;
    switch (extra->base_meta.meta_type) {
      case nvds::NVDS_OBJ_META_NVDSANALYTICS:
        AddAnalytics(*static_cast<const nvds::NvDsAnalyticsObjInfo*>(data), &out->analytics);
        break;
      case nvds::NVDS_TRACKER_OBJ_REID_META: {
        const auto& reid = *static_cast<const nvds::NvDsObjReid*>(data);
        if (reid.ptr_host == nullptr) break;  // on the GPU alone
        out->embedding = reid.ptr_host;
        out->embedding_size = reid.featureSize;
        break;
      }
      case nvds::NVDS_OBJ_VISIBILITY:
        out->visibility = Score(*static_cast<const float*>(data));
        break;
      case nvds::NVDS_OBJ_IMAGE_FOOT_LOCATION:
        space_.ToSource(static_cast<const float*>(data), out->foot_image);
        out->has_foot_image = true;
        break;
      case nvds::NVDS_OBJ_WORLD_FOOT_LOCATION:
        std::copy_n(static_cast<const float*>(data), 2, out->foot_world);
        out->has_foot_world = true;
        break;
      default:
        break;
    }
  }
}

}  // namespace sightline
