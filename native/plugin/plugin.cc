#include <gst/gst.h>

#include "plugin/elements.h"

// Registers every element; one that cannot be registered fails the plugin.
static gboolean PluginInit(GstPlugin* plugin) {
  return SlFrameSrcRegister(plugin) && SlInferRegister(plugin) && SlLatencyRegister(plugin) &&
         SlSkipRegister(plugin) && SlStampRegister(plugin) && SlTrackRegister(plugin) &&
         SlClassifyRegister(plugin) && SlAnalyticsRegister(plugin) && SlSampleRegister(plugin) &&
         SlMetaRegister(plugin) && SlImageRegister(plugin) && SlMotionRegister(plugin) &&
         SlRecordRegister(plugin) && SlDsMetaRegister(plugin) && SlDsSampleRegister(plugin);
}

#define PACKAGE "sightline"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, sightline,
                  "Object detection, tracking, analytics and metadata on the CPU, and the metadata "
                  "of DeepStream",
                  PluginInit, "0.1.0", "Apache 2.0", "sightline", "https://github.com/sightline")
