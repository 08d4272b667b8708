#include "deepstream/ds_meta_settings.h"

#include "plugin/message_source.h"

namespace {

constexpr guint kMaxPixels = 16384;

std::string* TextProperty(SlDsMetaWanted* wanted, guint id) {
  switch (id) {
    case PROP_SESSION:
      return &wanted->session;
    case PROP_STREAMS:
      return &wanted->streams;
    case PROP_MODELS:
      return &wanted->models;
    case PROP_TRACKER:
      return &wanted->tracker;
    case PROP_EXECUTION_PROVIDER:
      return &wanted->execution_provider;
    case PROP_CAPTURE_CLOCK:
      return &wanted->capture_clock;
    case PROP_LIBRARY_DIR:
      return &wanted->library_dir;
    default:
      return nullptr;
  }
}

void InstallTexts(GObjectClass* klass) {
  const auto text = [klass](guint id, const char* name, const char* blurb, const char* fallback,
                            int mutability = GST_PARAM_MUTABLE_READY) {
    const auto flags =
        static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | mutability);
    g_object_class_install_property(klass, id,
                                    g_param_spec_string(name, name, blurb, fallback, flags));
  };
  text(PROP_SESSION, "session",
       "Name of this run of the pipeline in every message; by default one that is made when the "
       "process starts",
       nullptr);
  text(PROP_STREAMS, "streams",
       "Streams by the muxer's pad, pad=streamId/sensorId joined by ';', parts percent-encoded; "
       "empty: every pad is a stream",
       "", GST_PARAM_MUTABLE_PLAYING);
  text(PROP_MODELS, "models",
       "Models by component, id=name/version joined by ';', parts percent-encoded", "");
  text(PROP_TRACKER, "tracker", "Name of the tracker in every message", "");
  text(PROP_EXECUTION_PROVIDER, "execution-provider", "What runs the model, in every message",
       SlDsMetaWanted().execution_provider.c_str());
  text(PROP_CAPTURE_CLOCK, "capture-clock",
       "What the muxer's ntp_timestamp is: \"rtcp\" (attach-sys-ts=0) or \"arrival\"",
       kDefaultCaptureClock);
  text(PROP_LIBRARY_DIR, "deepstream-library-dir",
       "Folder of libnvds_meta.so and libnvdsgst_meta.so where the loader does not find them; "
       "empty: SIGHTLINE_DEEPSTREAM_LIBDIR, else /opt/nvidia/deepstream/deepstream/lib",
       "");
}

}  // namespace

void SlInstallDsMetaSettings(GObjectClass* klass) {
  InstallTexts(klass);
  const auto writable = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                                 GST_PARAM_MUTABLE_READY);
  const auto pixels = [&](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint(name, name, blurb, 0, kMaxPixels, 0, writable));
  };
  g_object_class_install_property(
      klass, PROP_PADDING,
      g_param_spec_boolean("padding", "padding",
                           "The muxer keeps the aspect ratio with black bars (enable-padding)",
                           FALSE, writable));
  g_object_class_install_property(
      klass, PROP_EPOCH,
      g_param_spec_uint64("epoch", "epoch", "Fencing token of the streams' owner, in every message",
                          0, G_MAXUINT64, 0, writable));
  pixels(PROP_TRACKER_WIDTH, "tracker-width",
         "nvtracker's tracker-width, the space of terminated and shadow tracks; 0: the batch's");
  pixels(PROP_TRACKER_HEIGHT, "tracker-height", "nvtracker's tracker-height, likewise");
}

bool SlSetDsMetaSetting(SlDsMetaWanted* wanted, guint id, const GValue* value) {
  if (std::string* text = TextProperty(wanted, id)) {
    const gchar* given = g_value_get_string(value);
    *text = given != nullptr ? given : "";
  } else if (id == PROP_PADDING) {
    wanted->facts.padded = g_value_get_boolean(value) != FALSE;
  } else if (id == PROP_EPOCH) {
    wanted->epoch = g_value_get_uint64(value);
  } else if (id == PROP_TRACKER_WIDTH) {
    wanted->facts.tracker_width = g_value_get_uint(value);
  } else if (id == PROP_TRACKER_HEIGHT) {
    wanted->facts.tracker_height = g_value_get_uint(value);
  } else {
    return false;
  }
  return true;
}

bool SlGetDsMetaSetting(SlDsMetaWanted* wanted, guint id, GValue* value) {
  if (const std::string* text = TextProperty(wanted, id)) {
    g_value_set_string(value, text->c_str());
  } else if (id == PROP_PADDING) {
    g_value_set_boolean(value, wanted->facts.padded);
  } else if (id == PROP_EPOCH) {
    g_value_set_uint64(value, wanted->epoch);
  } else if (id == PROP_TRACKER_WIDTH) {
    g_value_set_uint(value, wanted->facts.tracker_width);
  } else if (id == PROP_TRACKER_HEIGHT) {
    g_value_set_uint(value, wanted->facts.tracker_height);
  } else {
    return false;
  }
  return true;
}

BatchWriterSettings SlReadDsMetaSettings(const SlDsMetaWanted& wanted) {
  BatchWriterSettings settings;
  settings.session = wanted.session.empty() ? SlDefaultSession() : wanted.session;
  settings.epoch = wanted.epoch;
  settings.streams = ParseStreamNames(wanted.streams);
  settings.models = ParseModelNames(wanted.models);
  settings.tracker = wanted.tracker;
  settings.execution_provider = wanted.execution_provider;
  settings.ntp_clock = ParseCaptureClock(wanted.capture_clock);
  settings.facts = wanted.facts;
  return settings;
}
