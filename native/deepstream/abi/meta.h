#pragma once

#include <glib.h>

#include "deepstream/abi/osd.h"

// What sldsmeta reads of a batch, declared by us from the published layout of DeepStream 9.x: names
// and order of the fields are NVIDIA's, for they are the interface; nothing else is. The numbers in
// abi-9.1.tsv are asserted on every build, and compared field by field with NVIDIA's headers where
// those are (DEEPSTREAM_ROOT). With SIGHTLINE_NVIDIA_HEADERS the reader is compiled on the headers
// themselves.
//
// A batch holds frames, a frame objects, an object classifiers, a classifier labels; each is a
// GList of pointers, from pools that belong to the batch. Frames and the batch's user metas stand
// in the order in which they were added, everything else in the reverse.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <nvdsmeta.h>

namespace sightline::nvds {
using ::NVDS_BATCH_META;
using ::NVDS_CLASSIFIER_META;
using ::NVDS_FRAME_META;
using ::NVDS_FRAME_META_NVDSANALYTICS;
using ::NVDS_LABEL_INFO_META;
using ::NVDS_OBJ_IMAGE_FOOT_LOCATION;
using ::NVDS_OBJ_META;
using ::NVDS_OBJ_META_NVDSANALYTICS;
using ::NVDS_OBJ_VISIBILITY;
using ::NVDS_OBJ_WORLD_FOOT_LOCATION;
using ::NVDS_TRACKER_OBJ_REID_META;
using ::NVDS_TRACKER_PAST_FRAME_META;
using ::NVDS_TRACKER_SHADOW_LIST_META;
using ::NVDS_TRACKER_TERMINATED_LIST_META;
using ::NVDS_USER_META;
using ::NvDsBaseMeta;
using ::NvDsBatchMeta;
using ::NvDsClassifierMeta;
using ::NvDsComp_BboxInfo;
using ::NvDsFrameMeta;
using ::NvDsLabelInfo;
using ::NvDsMetaType;
using ::NvDsObjectMeta;
using ::NvDsSensorInfo_meta;
using ::NvDsUserMeta;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

// Of the many kinds of metadata those that are read.
enum NvDsMetaType : int {
  NVDS_BATCH_META = 1,
  NVDS_FRAME_META = 2,
  NVDS_OBJ_META = 3,
  NVDS_CLASSIFIER_META = 5,
  NVDS_LABEL_INFO_META = 6,
  NVDS_USER_META = 7,
  NVDS_TRACKER_PAST_FRAME_META = 15,       // batch: NvDsTargetMiscDataBatch
  NVDS_TRACKER_OBJ_REID_META = 17,         // object: NvDsObjReid
  NVDS_TRACKER_TERMINATED_LIST_META = 18,  // batch: NvDsTargetMiscDataBatch
  NVDS_TRACKER_SHADOW_LIST_META = 19,      // batch: NvDsTargetMiscDataBatch
  NVDS_OBJ_VISIBILITY = 20,                // object: float
  NVDS_OBJ_IMAGE_FOOT_LOCATION = 21,       // object: float[2], pixels of the batch's frames
  NVDS_OBJ_WORLD_FOOT_LOCATION = 22,       // object: float[2], metres
  NVDS_FRAME_META_NVDSANALYTICS = 32,      // frame: NvDsAnalyticsFrameMeta
  NVDS_OBJ_META_NVDSANALYTICS = 33,        // object: NvDsAnalyticsObjInfo
};

struct NvDsBatchMeta;

struct NvDsBaseMeta {
  NvDsBatchMeta* batch_meta;
  NvDsMetaType meta_type;
  void* uContext;
  gpointer (*copy_func)(gpointer, gpointer);
  void (*release_func)(gpointer, gpointer);
};

struct NvDsBatchMeta {
  NvDsBaseMeta base_meta;
  guint max_frames_in_batch;
  guint num_frames_in_batch;
  void* frame_meta_pool;
  void* obj_meta_pool;
  void* classifier_meta_pool;
  void* display_meta_pool;
  void* user_meta_pool;
  void* label_info_meta_pool;
  GList* frame_meta_list;       // of NvDsFrameMeta
  GList* batch_user_meta_list;  // of NvDsUserMeta
  GRecMutex meta_mutex;         // taken by nvds_acquire_meta_lock()
  gint64 misc_batch_info[4];
  gint64 reserved[4];
};

// Strings may be null; only nvmultiurisrcbin fills them.
struct NvDsSensorInfo_meta {
  guint source_id;
  const gchar* uri;
  const gchar* sensor_id;
  const gchar* sensor_name;
};

struct NvDsFrameMeta {
  NvDsBaseMeta base_meta;
  guint pad_index;        // N of the muxer's pad sink_N
  guint batch_id;         // slot in the batch's surfaces
  gint frame_num;         // counts the source's frames; starts over when the source is reset
  guint64 buf_pts;        // nanoseconds
  guint64 ntp_timestamp;  // nanoseconds since the Unix epoch; 0 unknown
  guint source_id;
  gint num_surfaces_per_frame;
  guint source_frame_width;  // pixels, before the muxer scaled
  guint source_frame_height;
  guint surface_type;
  guint surface_index;
  guint num_obj_meta;
  gboolean bInferDone;          // a detector ran on this very frame
  GList* obj_meta_list;         // of NvDsObjectMeta, last added first
  GList* display_meta_list;     // what the drawing element draws
  GList* frame_user_meta_list;  // of NvDsUserMeta, last added first
  gint64 misc_frame_info[4];    // free for applications; copied with the frame (see frame_mark.h)
  guint pipeline_width;         // pixels, as the muxer scaled; 0: it did not
  guint pipeline_height;
  NvDsSensorInfo_meta sensorInfo_meta;
  gint64 reserved[4];
};

struct NvDsComp_BboxInfo {
  NvBbox_Coords org_bbox_coords;
};

struct NvDsObjectMeta {
  NvDsBaseMeta base_meta;
  NvDsObjectMeta* parent;
  gint unique_component_id;              // the model that found it
  gint class_id;                         // -1: carries a full-frame classifier's labels
  guint64 object_id;                     // all bits set: not tracked
  NvDsComp_BboxInfo detector_bbox_info;  // all 0: the tracker made the object
  NvDsComp_BboxInfo tracker_bbox_info;   // not clipped
  gfloat confidence;                     // negative: no detector gave one
  gfloat tracker_confidence;             // negative: the tracker gives none
  NvOSD_RectParams rect_params;          // the box as the last element left it
  NvOSD_MaskParams mask_params;
  NvOSD_TextParams text_params;
  gchar obj_label[128];         // not always ended by a zero
  GList* classifier_meta_list;  // of NvDsClassifierMeta, last added first
  GList* obj_user_meta_list;    // of NvDsUserMeta, last added first
  gint64 misc_obj_info[4];
  gint64 reserved[4];
};

struct NvDsClassifierMeta {
  NvDsBaseMeta base_meta;
  guint num_labels;
  gint unique_component_id;
  GList* label_info_list;        // of NvDsLabelInfo, last added first
  const gchar* classifier_type;  // may be null
};

struct NvDsLabelInfo {
  NvDsBaseMeta base_meta;
  guint num_classes;
  gchar result_label[128];  // not always ended by a zero
  gchar* pResult_label;     // the label where it is too long for `result_label`, else null
  guint result_class_id;    // index of the value
  guint label_id;           // index of the attribute
  gfloat result_prob;
};

struct NvDsUserMeta {
  NvDsBaseMeta base_meta;
  void* user_meta_data;  // of the type that base_meta.meta_type says
};

}  // namespace sightline::nvds

#endif
