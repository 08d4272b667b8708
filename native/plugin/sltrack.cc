#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <cstdint>
#include <string>

#include "common/guard.h"
#include "plugin/elements.h"
#include "plugin/frame_meta.h"
#include "plugin/metadata_filter.h"
#include "plugin/origin_meta.h"
#include "plugin/track_stream.h"

// sltrack replaces the detections on a frame by tracks with ids. It changes no pixel and copies
// none.

namespace {

enum Property {
  PROP_HIGH = 1,
  PROP_LOW,
  PROP_NEW,
  PROP_MATCH,
  PROP_MAX_LOST,
  PROP_MIN_HITS,
  PROP_CLASS_AWARE,
  PROP_EMIT_LOST,
};

struct SlTrackState {
  // Written by the application under the object's lock, taken over at the next frame.
  sightline::TrackerOptions wanted;
  bool changed = true;

  SlTrackStream stream;
  // Of the last frame of a queue; empty before the first.
  std::string session;
};

struct SlTrack {
  GstBaseTransform base;
  SlTrackState* state;
};
struct SlTrackClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlTrack, sl_track, GST_TYPE_BASE_TRANSFORM)

SlTrack* Self(gpointer object) { return reinterpret_cast<SlTrack*>(object); }

// A new session counts its ids from 1 again.
gboolean Start(GstBaseTransform* base) {
  return Guard(base, gboolean{FALSE}, [&]() -> gboolean {
    SlTrack* self = Self(base);
    self->state->stream = SlTrackStream();
    GST_OBJECT_LOCK(self);
    self->state->changed = true;
    GST_OBJECT_UNLOCK(self);
    return TRUE;
  });
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* caps, GstCaps*) {
  return Self(base)->state->stream.SetCaps(caps);
}

gboolean SinkEvent(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) Self(base)->state->stream.Flush();
  return GST_BASE_TRANSFORM_CLASS(sl_track_parent_class)->sink_event(base, event);
}

void TakeOptions(SlTrack* self) {
  GST_OBJECT_LOCK(self);
  if (self->state->changed) self->state->stream.SetOptions(self->state->wanted);
  self->state->changed = false;
  GST_OBJECT_UNLOCK(self);
}

// A session of a queue's frames may be tracked by several trackers, one after the other or in
// several processes: each numbers its tracks from a random place on, as NVIDIA's do. Ids stay below
// 2^53, which JSON readers take as they are.
std::uint64_t FirstIdOfQueue() {
  constexpr guint32 kPlaces = 1U << 21;
  return std::uint64_t{g_random_int() % kPlaces} << 32 | 1;
}

// False for a frame that came too late for the tracker. Those of another run of the camera have
// nothing to do with the tracks of the one before.
bool FollowsItsCamera(SlTrackState* state, GstBuffer* buffer) {
  const SlFrameOrigin* origin = SlFrameOriginGet(buffer);
  if (origin == nullptr) return true;
  if (origin->late) return false;
  if (state->session.empty()) state->stream.NumberFrom(FirstIdOfQueue());
  if (origin->session != state->session) state->stream.Flush();
  state->session = origin->session;
  return true;
}

GstFlowReturn TrackFrame(GstBaseTransform* base, GstBuffer* buffer) {
  return Guard(base, GST_FLOW_ERROR, [&] {
    SlTrack* self = Self(base);
    static const GQuark tracker_name = g_quark_from_static_string("sltrack-bytetrack");
    TakeOptions(self);
    SlFrameMeta* frame = SlFrameMetaEnsure(buffer);
    if (!FollowsItsCamera(self->state, buffer)) return GST_FLOW_OK;
    self->state->stream.Track(buffer, frame);
    frame->tracker = tracker_name;
    frame->track_end_ns = SlMonotonicNs();
    return GST_FLOW_OK;
  });
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlTrack* self = Self(object);
  GST_OBJECT_LOCK(self);
  sightline::TrackerOptions& options = self->state->wanted;
  self->state->changed = true;
  switch (id) {
    case PROP_HIGH:
      options.high_threshold = g_value_get_float(value);
      break;
    case PROP_LOW:
      options.low_threshold = g_value_get_float(value);
      break;
    case PROP_NEW:
      options.new_track_threshold = g_value_get_float(value);
      break;
    case PROP_MATCH:
      options.match_threshold = g_value_get_float(value);
      break;
    case PROP_MAX_LOST:
      options.max_lost_frames = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_MIN_HITS:
      options.min_hits = static_cast<int>(g_value_get_uint(value));
      break;
    case PROP_CLASS_AWARE:
      options.class_aware = g_value_get_boolean(value) != FALSE;
      break;
    case PROP_EMIT_LOST:
      options.report_lost = g_value_get_boolean(value) != FALSE;
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SlTrack* self = Self(object);
  GST_OBJECT_LOCK(self);
  const sightline::TrackerOptions& options = self->state->wanted;
  switch (id) {
    case PROP_HIGH:
      g_value_set_float(value, options.high_threshold);
      break;
    case PROP_LOW:
      g_value_set_float(value, options.low_threshold);
      break;
    case PROP_NEW:
      g_value_set_float(value, options.new_track_threshold);
      break;
    case PROP_MATCH:
      g_value_set_float(value, options.match_threshold);
      break;
    case PROP_MAX_LOST:
      g_value_set_uint(value, static_cast<guint>(options.max_lost_frames));
      break;
    case PROP_MIN_HITS:
      g_value_set_uint(value, static_cast<guint>(options.min_hits));
      break;
    case PROP_CLASS_AWARE:
      g_value_set_boolean(value, options.class_aware);
      break;
    case PROP_EMIT_LOST:
      g_value_set_boolean(value, options.report_lost);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
  GST_OBJECT_UNLOCK(self);
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_track_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  const sightline::TrackerOptions defaults;
  const auto flags = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_PLAYING);
  const auto score = [&](guint id, const char* name, const char* blurb, float value) {
    g_object_class_install_property(klass, id,
                                    g_param_spec_float(name, name, blurb, 0, 1, value, flags));
  };
  score(PROP_HIGH, "track-high-threshold",
        "Score (0 to 1) from which a detection takes part in the first association",
        defaults.high_threshold);
  score(PROP_LOW, "track-low-threshold",
        "Score (0 to 1) from which a detection can continue a track in the second association; "
        "detections below are ignored",
        defaults.low_threshold);
  score(PROP_NEW, "new-track-threshold",
        "Score (0 to 1) from which an unmatched detection starts a track",
        defaults.new_track_threshold);
  score(PROP_MATCH, "match-threshold",
        "Largest distance (1 - overlap, 0 to 1) of a detection from a track's predicted box",
        defaults.match_threshold);
  g_object_class_install_property(
      klass, PROP_MAX_LOST,
      g_param_spec_uint("max-lost-frames", "max-lost-frames",
                        "Frames of the source after which a track without a detection ends", 0,
                        G_MAXINT, defaults.max_lost_frames, flags));
  g_object_class_install_property(
      klass, PROP_MIN_HITS,
      g_param_spec_uint("min-hits", "min-hits",
                        "Detections in a row that confirm a new track; only confirmed tracks are "
                        "put out",
                        1, G_MAXINT, defaults.min_hits, flags));
  g_object_class_install_property(
      klass, PROP_CLASS_AWARE,
      g_param_spec_boolean("class-aware", "class-aware",
                           "Whether a track continues only with detections of its class",
                           defaults.class_aware, flags));
  g_object_class_install_property(
      klass, PROP_EMIT_LOST,
      g_param_spec_boolean("emit-lost", "emit-lost",
                           "Whether tracks that the detector missed are put out at their predicted "
                           "place, with confidence 0",
                           defaults.report_lost, flags));
}

void sl_track_class_init(SlTrackClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "Object tracker", "Filter/Analyzer/Video",
      "Gives each detected object an id that stays with it from frame to frame (ByteTrack). "
      "Example: "
      "filesrc location=clip.mp4 ! decodebin ! videoconvert ! slinfer config-file-path=model.txt ! "
      "sltrack min-hits=3 ! slmeta ! fakesink",
      "Sightline");
  SlAddPads(element_class, "video/x-raw(ANY)", "video/x-raw(ANY)");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->set_caps = SetCaps;
  transform_class->sink_event = SinkEvent;
  transform_class->transform_ip = TrackFrame;
  SlPassAllocation(transform_class);
}

void sl_track_init(SlTrack* self) {
  self->state = new SlTrackState();
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), TRUE);
}

}  // namespace

gboolean SlTrackRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "sltrack", GST_RANK_NONE, sl_track_get_type());
}
