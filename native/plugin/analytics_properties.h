#pragma once

#include <gst/gst.h>

// The properties of slanalytics.
enum SlAnalyticsProperty {
  SL_ANALYTICS_CONFIG_FILE = 1,
  SL_ANALYTICS_STREAM_INDEX,
  SL_ANALYTICS_ENABLE,
  SL_ANALYTICS_SURFACE_WIDTH,
  SL_ANALYTICS_SURFACE_HEIGHT,
  SL_ANALYTICS_FRAMES,
  SL_ANALYTICS_CROSSINGS,
};

// The size DeepStream's muxer has unless told otherwise: limits of distance are meant for it.
constexpr guint kSlSurfaceWidth = 1920;
constexpr guint kSlSurfaceHeight = 1080;

void SlInstallAnalyticsProperties(GObjectClass* klass);
