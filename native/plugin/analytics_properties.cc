#include "plugin/analytics_properties.h"

void SlInstallAnalyticsProperties(GObjectClass* klass) {
  const auto always = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                               GST_PARAM_MUTABLE_PLAYING);
  const auto ready = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS |
                                              GST_PARAM_MUTABLE_READY);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      klass, SL_ANALYTICS_CONFIG_FILE,
      g_param_spec_string("config-file", "config-file",
                          "Path of an nvdsanalytics configuration (INI). Set again while running, "
                          "it is read again and all counts start over; a bad one changes nothing "
                          "and is a warning",
                          nullptr, always));
  g_object_class_install_property(
      klass, SL_ANALYTICS_STREAM_INDEX,
      g_param_spec_uint("stream-index", "stream-index",
                        "Which of the file's groups are the stream's: those whose names end in "
                        "-stream-<index>",
                        0, G_MAXINT, 0, ready));
  g_object_class_install_property(
      klass, SL_ANALYTICS_ENABLE,
      g_param_spec_boolean("enable", "enable",
                           "Whether frames are analysed, or passed on as they are", TRUE, always));
  const auto size = [&](guint id, const char* name, guint value) {
    g_object_class_install_property(
        klass, id,
        g_param_spec_uint(name, name,
                          "Size in pixels to which positions are scaled before anything is "
                          "measured, so that limits of distance mean the same for every camera; "
                          "0: the picture's own",
                          0, 16384, value, ready));
  };
  size(SL_ANALYTICS_SURFACE_WIDTH, "surface-width", kSlSurfaceWidth);
  size(SL_ANALYTICS_SURFACE_HEIGHT, "surface-height", kSlSurfaceHeight);
  g_object_class_install_property(
      klass, SL_ANALYTICS_FRAMES,
      g_param_spec_uint64("frames", "frames", "Frames analysed since the element started", 0,
                          G_MAXUINT64, 0, readable));
  g_object_class_install_property(
      klass, SL_ANALYTICS_CROSSINGS,
      g_param_spec_uint64("crossings", "crossings",
                          "Line crossings counted since the rules were read", 0, G_MAXUINT64, 0,
                          readable));
}
