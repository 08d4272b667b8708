#include <string>

#include "plugin/record_state.h"

namespace {

enum Container { CONTAINER_MP4, CONTAINER_MATROSKA };
enum Property {
  PROP_FOLDER = 1,
  PROP_SESSION,
  PROP_CONTAINER,
  PROP_SEGMENT_MS,
  PROP_FRAGMENT_MS,
  PROP_MAX_HELD_BYTES,
  PROP_EPOCH,
  PROP_FRAMES,
  PROP_FRAMES_RECORDED,
  PROP_FRAMES_LOST,
  PROP_RECORDED_BYTES,
  PROP_SEGMENTS,
  PROP_LAST_WRITE_NS,
  PROP_FAILURE
};

GType ContainerType() {
  static const GEnumValue values[] = {
      {CONTAINER_MP4, "Fragmented MP4", "mp4"},
      {CONTAINER_MATROSKA, "Matroska, one picture after the other", "matroska"},
      {0, nullptr, nullptr}};
  static const GType type = g_enum_register_static("SlRecordContainer", values);
  return type;
}

void InstallSettings(GObjectClass* klass) {
  const SlRecorderSettings defaults;
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY);
  g_object_class_install_property(
      klass, PROP_FOLDER,
      g_param_spec_string("folder", "Folder", "Where the files are; made when it is not there",
                          nullptr, writable));
  g_object_class_install_property(
      klass, PROP_SESSION,
      g_param_spec_string("session", "Session",
                          "Name of this run of the pipeline, with which the names of the files "
                          "begin; by default one that is made when the process starts",
                          nullptr, writable));
  g_object_class_install_property(klass, PROP_CONTAINER,
                                  g_param_spec_enum("container", "Container", "Format of the files",
                                                    ContainerType(), CONTAINER_MP4, writable));
  g_object_class_install_property(
      klass, PROP_SEGMENT_MS,
      g_param_spec_uint("segment-ms", "Segment",
                        "Time after which the next key frame begins a new file, in milliseconds",
                        100, 86'400'000, defaults.segment_ms, writable));
  g_object_class_install_property(
      klass, PROP_FRAGMENT_MS,
      g_param_spec_uint("fragment-ms", "Fragment",
                        "Video that is written in one piece, in milliseconds: what is lost at most "
                        "when the process is killed",
                        100, 60'000, defaults.fragment_ms, writable));
  g_object_class_install_property(
      klass, PROP_MAX_HELD_BYTES,
      g_param_spec_uint64("max-held-bytes", "Most bytes held",
                          "Bytes that may wait for the end of a fragment; with more the file is "
                          "given up",
                          65'536, G_MAXUINT64, defaults.max_held_bytes, writable));
  g_object_class_install_property(
      klass, PROP_EPOCH,
      g_param_spec_uint64("epoch", "Epoch", "Fencing token of the stream's owner, for the notes", 0,
                          G_MAXUINT64, 0, writable));
}

void InstallCounters(GObjectClass* klass) {
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto counter = [&](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0, readable));
  };
  counter(PROP_FRAMES, "frames", "Pictures that came since the element was made");
  counter(PROP_FRAMES_RECORDED, "frames-recorded", "Of them those that went into files");
  counter(PROP_FRAMES_LOST, "frames-lost",
          "Of them those that are in no file: before the first key frame, and while files could "
          "not be written (for a file that was given up, as far as it is known)");
  counter(PROP_RECORDED_BYTES, "recorded-bytes", "Bytes of media that were written");
  counter(PROP_SEGMENTS, "segments", "Files that were closed");
  counter(PROP_LAST_WRITE_NS, "last-write-ns",
          "Monotonic time of the last byte that was written, in nanoseconds; before it, of the "
          "first file's opening; 0 before that");
  g_object_class_install_property(
      klass, PROP_FAILURE,
      g_param_spec_string("failure", "Failure",
                          "Why nothing is written now; empty while all is well", "", readable));
}

bool GetSetting(const SlRecorderSettings& settings, guint id, GValue* value) {
  switch (id) {
    case PROP_FOLDER:
      g_value_set_string(value, settings.folder.c_str());
      break;
    case PROP_SESSION:
      g_value_set_string(value, settings.session.c_str());
      break;
    case PROP_CONTAINER:
      g_value_set_enum(value, settings.matroska ? CONTAINER_MATROSKA : CONTAINER_MP4);
      break;
    case PROP_SEGMENT_MS:
      g_value_set_uint(value, settings.segment_ms);
      break;
    case PROP_FRAGMENT_MS:
      g_value_set_uint(value, settings.fragment_ms);
      break;
    case PROP_MAX_HELD_BYTES:
      g_value_set_uint64(value, settings.max_held_bytes);
      break;
    case PROP_EPOCH:
      g_value_set_uint64(value, settings.epoch);
      break;
    default:
      return false;
  }
  return true;
}

}  // namespace

void SlRecordInstallProperties(GObjectClass* klass) {
  InstallSettings(klass);
  InstallCounters(klass);
  gst_type_mark_as_plugin_api(ContainerType(), static_cast<GstPluginAPIFlags>(0));
}

bool SlRecordSet(SlRecordState* state, guint id, const GValue* value) {
  SlRecorderSettings& settings = state->settings;
  const auto text = [value] {
    const gchar* given = g_value_get_string(value);
    return std::string(given != nullptr ? given : "");
  };
  switch (id) {
    case PROP_FOLDER:
      settings.folder = text();
      break;
    case PROP_SESSION:
      settings.session = text();
      break;
    case PROP_CONTAINER:
      settings.matroska = g_value_get_enum(value) == CONTAINER_MATROSKA;
      break;
    case PROP_SEGMENT_MS:
      settings.segment_ms = g_value_get_uint(value);
      break;
    case PROP_FRAGMENT_MS:
      settings.fragment_ms = g_value_get_uint(value);
      break;
    case PROP_MAX_HELD_BYTES:
      settings.max_held_bytes = g_value_get_uint64(value);
      break;
    case PROP_EPOCH:
      settings.epoch = g_value_get_uint64(value);
      break;
    default:
      return false;
  }
  return true;
}

bool SlRecordGet(const SlRecordState& state, guint id, GValue* value) {
  const SlRecorderCounters& counters = state.counters;
  switch (id) {
    case PROP_FRAMES:
      g_value_set_uint64(value, state.frames);
      break;
    case PROP_FRAMES_RECORDED:
      g_value_set_uint64(value, counters.recorded);
      break;
    case PROP_FRAMES_LOST:
      g_value_set_uint64(value, counters.lost);
      break;
    case PROP_RECORDED_BYTES:
      g_value_set_uint64(value, counters.bytes);
      break;
    case PROP_SEGMENTS:
      g_value_set_uint64(value, counters.segments);
      break;
    case PROP_LAST_WRITE_NS:
      g_value_set_uint64(value, counters.last_write_ns);
      break;
    case PROP_FAILURE:
      g_value_set_string(value, state.recorder.failure().c_str());
      break;
    default:
      return GetSetting(state.settings, id, value);
  }
  return true;
}
