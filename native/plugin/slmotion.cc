#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>

#include "common/guard.h"
#include "core/motion/motion_detector.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/metadata_filter.h"

// slmotion says of each picture whether something moves in it. It changes no pixel and copies none.

namespace {

enum Property { PROP_THRESHOLD = 1, PROP_AREA, PROP_FRAMES, PROP_FRAMES_MOVED };

constexpr guint kDefaultThreshold = 12;
constexpr double kDefaultArea = 0.005;
// Formats whose first plane is brightness, 8 bits a pixel.
constexpr char kCaps[] =
    "video/x-raw, format=(string){ I420, YV12, NV12, NV21, Y42B, Y444, Y41B, GRAY8 }";

struct SlMotionState {
  std::atomic<guint> threshold{kDefaultThreshold};
  std::atomic<double> area{kDefaultArea};
  std::atomic<guint64> frames{0};
  std::atomic<guint64> moved{0};
  GstVideoInfo info;
  sightline::MotionDetector detector;
};

struct SlMotion {
  GstBaseTransform base;
  SlMotionState* state;
};
struct SlMotionClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlMotion, sl_motion, GST_TYPE_BASE_TRANSFORM)

SlMotion* Self(gpointer object) { return reinterpret_cast<SlMotion*>(object); }

gboolean Start(GstBaseTransform* base) {
  SlMotionState* state = Self(base)->state;
  state->frames = 0;
  state->moved = 0;
  state->detector.Reset();
  return TRUE;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  SlMotionState* state = Self(base)->state;
  state->detector.Reset();
  return gst_video_info_from_caps(&state->info, caps);
}

GstFlowReturn Look(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlMotionState* state = Self(base)->state;
    GstVideoFrame frame;
    if (!gst_video_frame_map(&frame, &state->info, buffer, GST_MAP_READ)) {
      GST_ELEMENT_ERROR(base, RESOURCE, READ, ("Cannot read the picture's memory"), (nullptr));
      return GST_FLOW_ERROR;
    }
    const float changed = state->detector.Look(
        static_cast<const guint8*>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)),
        GST_VIDEO_FRAME_WIDTH(&frame), GST_VIDEO_FRAME_HEIGHT(&frame),
        GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0), static_cast<float>(state->threshold.load()));
    gst_video_frame_unmap(&frame);
    ++state->frames;
    if (changed < state->area) return GST_FLOW_OK;
    ++state->moved;
    SlFrameMetaEnsure(buffer)->moved = TRUE;
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlMotionState* state = Self(object)->state;
  switch (id) {
    case PROP_THRESHOLD:
      state->threshold = g_value_get_uint(value);
      break;
    case PROP_AREA:
      state->area = g_value_get_double(value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  const SlMotionState& state = *Self(object)->state;
  switch (id) {
    case PROP_THRESHOLD:
      g_value_set_uint(value, state.threshold);
      break;
    case PROP_AREA:
      g_value_set_double(value, state.area);
      break;
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_FRAMES_MOVED:
      g_value_set_uint64(value, state.moved);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_motion_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  const auto live = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                             GST_PARAM_MUTABLE_PLAYING);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      klass, PROP_THRESHOLD,
      g_param_spec_uint("threshold", "Threshold",
                        "Least change of brightness of a cell of the picture that counts, of 255",
                        1, 255, kDefaultThreshold, live));
  g_object_class_install_property(
      klass, PROP_AREA,
      g_param_spec_double("area", "Area", "Least part of the cells (64 by 36) that must change", 0,
                          1, kDefaultArea, live));
  g_object_class_install_property(
      klass, PROP_FRAMES,
      g_param_spec_uint64("frames", "Frames", "Pictures seen since the element started", 0,
                          G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      klass, PROP_FRAMES_MOVED,
      g_param_spec_uint64("frames-moved", "Frames moved", "Of them those in which something moved",
                          0, G_MAXUINT64, 0, readable));
}

void sl_motion_class_init(SlMotionClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Motion detector", "Filter/Analyzer/Video",
      "Says of each picture whether something moves in it. Example: videotestsrc pattern=ball ! "
      "slmotion ! slsample when=motion ! slsample action=filter ! videoconvert ! jpegenc ! slimage "
      "! fakesink",
      "Sightline");
  SlAddPads(element_class, kCaps, kCaps);

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->transform_ip = Look;
  SlPassAllocation(transform_class);
}

void sl_motion_init(SlMotion* self) {
  self->state = new SlMotionState();
  gst_video_info_init(&self->state->info);
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlMotionRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "slmotion", GST_RANK_NONE, sl_motion_get_type());
}
