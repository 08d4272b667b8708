#include "plugin/classify_stream.h"

#include <algorithm>

#include "plugin/classification_meta.h"
#include "plugin/frame_meta.h"
#include "plugin/mapped_frame.h"
#include "plugin/metadata_filter.h"

namespace {

constexpr guint64 kForgetEvery = 150;  // frames

}  // namespace

SlClassifyStream::SlClassifyStream(const ClassifierSettings& settings)
    : classifier_(settings), memory_(classifier_.config().objects.reinfer_interval) {}

void SlClassifyStream::SetFormat(const GstVideoInfo& info) {
  info_ = info;
  classifier_.SetFormat(info);
  Flush();
}

// The tracker begins anew: its ids mean other objects.
void SlClassifyStream::Flush() {
  memory_ = sightline::ObjectMemory(classifier_.config().objects.reinfer_interval);
}

bool SlClassifyStream::IsWanted(const SlObject& object) const {
  const sightline::ObjectFilter& filter = classifier_.config().objects;
  const sightline::Detection& box = object.detection;
  if (filter.operate_on_gie_id >= 0 &&
      object.component != static_cast<guint>(filter.operate_on_gie_id)) {
    return false;
  }
  const std::vector<int>& classes = filter.operate_on_class_ids;
  if (!classes.empty() &&
      std::find(classes.begin(), classes.end(), box.class_id) == classes.end()) {
    return false;
  }
  const auto within = [](float size, int least, int most) {
    return size >= static_cast<float>(std::max(1, least)) &&
           (most == 0 || size <= static_cast<float>(most));
  };
  return within(box.width, filter.min_width, filter.max_width) &&
         within(box.height, filter.min_height, filter.max_height);
}

void SlClassifyStream::Choose(GstBuffer* buffer) {
  chosen_.clear();
  parts_.clear();
  const int width = GST_VIDEO_INFO_WIDTH(&info_);
  const int height = GST_VIDEO_INFO_HEIGHT(&info_);
  SlForEachObject(buffer, width, height, [&](const SlObject& object) {
    if (!IsWanted(object)) return;
    const sightline::PixelRect part = sightline::TouchedPixels(object.detection, width, height);
    if (part.width <= 0 || part.height <= 0) return;
    Chosen chosen{};
    chosen.region = object.region;
    chosen.tracked = object.tracked;
    chosen.track_id = object.track_id;
    chosen.area = static_cast<double>(object.detection.width) * object.detection.height;
    const sightline::ClassLabel* known =
        object.tracked ? memory_.Recall(object.track_id, frame_, chosen.area) : nullptr;
    chosen.look = known == nullptr;
    if (known != nullptr) chosen.label = *known;
    if (chosen.look) parts_.push_back(part);
    chosen_.push_back(chosen);
  });
}

void SlClassifyStream::Look(GstBuffer* buffer) {
  // Unmapped at once: a mapped frame holds a reference, and a shared buffer takes no metas.
  const std::vector<sightline::ClassLabel>& labels =
      classifier_.Classify(SlMappedFrame(&info_, buffer).get(), parts_);
  size_t next = 0;
  for (Chosen& object : chosen_) {
    if (!object.look) continue;
    object.label = labels[next++];
    if (object.tracked) memory_.Remember(object.track_id, frame_, object.area, object.label);
  }
}

void SlClassifyStream::Attach(const Chosen& object) const {
  if (object.label.value < 0) return;
  const sightline::InferConfig& config = classifier_.config();
  sightline::Classification item;
  item.component = static_cast<std::uint32_t>(config.gie_unique_id);
  item.attribute = config.classifier_type;
  item.label = config.labels[static_cast<size_t>(object.label.value)];
  item.confidence = object.label.confidence;
  item.value = static_cast<std::uint32_t>(object.label.value);
  SlAddClassification(object.region, item);
}

SlClassifyStream::Counts SlClassifyStream::Process(GstBuffer* buffer) {
  const SlFrameMeta* meta = SlFrameMetaGet(buffer);
  const bool numbered = meta != nullptr && meta->sequence != SL_NO_SEQUENCE;
  frame_ = numbered ? meta->sequence : frame_ + 1;
  Choose(buffer);
  Counts counts;
  counts.objects = chosen_.size();
  counts.inferred = parts_.size();
  if (!parts_.empty()) {
    const guint64 start_ns = SlMonotonicNs();
    Look(buffer);
    counts.infer_ns = SlMonotonicNs() - start_ns;
  }
  for (const Chosen& object : chosen_) Attach(object);
  if (frame_ % kForgetEvery == 0) memory_.Forget(frame_);
  return counts;
}
