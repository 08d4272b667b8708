#pragma once

#include <glib.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "deepstream/abi/analytics.h"
#include "deepstream/abi/meta.h"
#include "deepstream/abi/tracker.h"

// Builds batches as DeepStream's elements do: frames and the batch's user metas are appended,
// everything else is prepended.
namespace sightline::test {

struct DsLabel {
  const char* label = nullptr;  // null: not set
  float probability = 0;
  guint value = 0;
  const char* long_label = nullptr;
};

// As g_strlcpy() and strncpy() leave them: whole arrays have no zero at the end.
template <std::size_t size>
void Fill(const char* text, char (*array)[size]) {
  std::memcpy(*array, text, std::min(size, std::strlen(text)));
}

class DsBatch {
 public:
  DsBatch() {
    g_rec_mutex_init(&batch_.meta_mutex);
    batch_.base_meta.batch_meta = &batch_;
    batch_.base_meta.meta_type = nvds::NVDS_BATCH_META;
    batch_.max_frames_in_batch = 16;
  }
  ~DsBatch() {
    for (GList** list : lists_) g_list_free(*list);
    g_list_free(batch_.frame_meta_list);
    g_list_free(batch_.batch_user_meta_list);
    g_rec_mutex_clear(&batch_.meta_mutex);
  }
  DsBatch(const DsBatch&) = delete;
  DsBatch& operator=(const DsBatch&) = delete;

  nvds::NvDsBatchMeta* get() { return &batch_; }

  void Ref() { ++users_; }
  void Unref() {
    if (--users_ == 0) delete this;
  }

  // A frame of a 1920x1080 source that the new muxer left as it is.
  nvds::NvDsFrameMeta* AddFrame(guint pad, gint frame_num, guint64 pts = 0) {
    auto* frame = Own<nvds::NvDsFrameMeta>();
    Base(&frame->base_meta, nvds::NVDS_FRAME_META);
    frame->pad_index = pad;
    frame->source_id = pad;
    frame->batch_id = batch_.num_frames_in_batch;
    frame->frame_num = frame_num;
    frame->buf_pts = pts;
    frame->num_surfaces_per_frame = 1;
    frame->source_frame_width = 1920;
    frame->source_frame_height = 1080;
    frame->bInferDone = TRUE;
    lists_.push_back(&frame->obj_meta_list);
    lists_.push_back(&frame->frame_user_meta_list);
    batch_.frame_meta_list = g_list_append(batch_.frame_meta_list, frame);
    ++batch_.num_frames_in_batch;
    return frame;
  }

  // An object that a detector found and no tracker follows.
  nvds::NvDsObjectMeta* AddObject(nvds::NvDsFrameMeta* frame, int class_id, const char* label,
                                  float left, float top, float width, float height,
                                  float confidence = 0.5F, nvds::NvDsObjectMeta* parent = nullptr) {
    auto* object = Own<nvds::NvDsObjectMeta>();
    Base(&object->base_meta, nvds::NVDS_OBJ_META);
    object->parent = parent;
    object->unique_component_id = 1;
    object->class_id = class_id;
    object->object_id = UINT64_MAX;
    object->confidence = confidence;
    object->tracker_confidence = 0;
    object->rect_params.left = left;
    object->rect_params.top = top;
    object->rect_params.width = width;
    object->rect_params.height = height;
    object->detector_bbox_info.org_bbox_coords = {left, top, width, height};
    Fill(label, &object->obj_label);
    lists_.push_back(&object->classifier_meta_list);
    lists_.push_back(&object->obj_user_meta_list);
    frame->obj_meta_list = g_list_prepend(frame->obj_meta_list, object);
    ++frame->num_obj_meta;
    return object;
  }

  // As nvtracker does: an id, and a box that need not be the detector's.
  static void Track(nvds::NvDsObjectMeta* object, guint64 id, float confidence = -0.1F) {
    object->object_id = id;
    object->tracker_confidence = confidence;
  }
  // As nvtracker marks an object that it made up.
  static void Invent(nvds::NvDsObjectMeta* object) {
    object->confidence = -0.1F;
    object->detector_bbox_info.org_bbox_coords = {0, 0, 0, 0};
  }

  void AddLabels(nvds::NvDsObjectMeta* object, int component, const char* type,
                 std::initializer_list<DsLabel> labels) {
    auto* classifier = Own<nvds::NvDsClassifierMeta>();
    Base(&classifier->base_meta, nvds::NVDS_CLASSIFIER_META);
    classifier->unique_component_id = component;
    classifier->classifier_type = type;
    lists_.push_back(&classifier->label_info_list);
    guint attribute = 0;
    for (const DsLabel& given : labels) {
      auto* info = Own<nvds::NvDsLabelInfo>();
      Base(&info->base_meta, nvds::NVDS_LABEL_INFO_META);
      if (given.label != nullptr) {
        Fill(given.label, &info->result_label);
      }
      info->pResult_label = const_cast<gchar*>(given.long_label);
      info->result_class_id = given.value;
      info->result_prob = given.probability;
      info->label_id = attribute++;
      classifier->label_info_list = g_list_prepend(classifier->label_info_list, info);
      ++classifier->num_labels;
    }
    object->classifier_meta_list = g_list_prepend(object->classifier_meta_list, classifier);
  }

  template <class T>
  T* AddExtra(nvds::NvDsObjectMeta* object, nvds::NvDsMetaType type, const T& data) {
    return AddUserMeta(&object->obj_user_meta_list, type, data, false);
  }
  template <class T>
  T* AddExtra(nvds::NvDsFrameMeta* frame, nvds::NvDsMetaType type, const T& data) {
    return AddUserMeta(&frame->frame_user_meta_list, type, data, false);
  }
  template <class T>
  T* AddExtra(nvds::NvDsMetaType type, const T& data) {
    return AddUserMeta(&batch_.batch_user_meta_list, type, data, true);
  }

  // A list of one stream's tracks; every track has the given frames.
  nvds::NvDsTargetMiscDataBatch* AddTracks(nvds::NvDsMetaType type, guint pad,
                                           std::vector<nvds::NvDsTargetMiscDataObject> tracks,
                                           std::vector<nvds::NvDsTargetMiscDataFrame> frames) {
    auto* own_frames = Own<std::vector<nvds::NvDsTargetMiscDataFrame>>();
    *own_frames = std::move(frames);
    auto* own_tracks = Own<std::vector<nvds::NvDsTargetMiscDataObject>>();
    *own_tracks = std::move(tracks);
    for (auto& track : *own_tracks) {
      track.list = own_frames->data();
      track.numObj = static_cast<guint>(own_frames->size());
      track.numAllocated = track.numObj;
    }
    auto* stream = Own<nvds::NvDsTargetMiscDataStream>();
    stream->list = own_tracks->data();
    stream->streamID = pad;
    stream->surfaceStreamID = pad;
    stream->numAllocated = stream->numFilled = static_cast<guint>(own_tracks->size());
    nvds::NvDsTargetMiscDataBatch lists{};
    lists.list = stream;
    lists.numAllocated = lists.numFilled = 1;
    return AddExtra(type, lists);
  }

 private:
  std::atomic<int> users_{1};
  template <class T>
  T* Own() {
    auto item = std::make_shared<T>();
    owned_.push_back(item);
    return item.get();
  }
  void Base(nvds::NvDsBaseMeta* base, nvds::NvDsMetaType type) {
    base->batch_meta = &batch_;
    base->meta_type = type;
  }
  template <class T>
  T* AddUserMeta(GList** list, nvds::NvDsMetaType type, const T& data, bool append) {
    T* own = Own<T>();
    *own = data;
    auto* meta = Own<nvds::NvDsUserMeta>();
    Base(&meta->base_meta, type);
    meta->user_meta_data = own;
    *list = append ? g_list_append(*list, meta) : g_list_prepend(*list, meta);
    return own;
  }

  nvds::NvDsBatchMeta batch_{};
  std::vector<std::shared_ptr<void>> owned_;
  std::vector<GList**> lists_;
};

}  // namespace sightline::test
