#pragma once

#include <gst/gst.h>

// One registration function an element; each lives in its element's file.
gboolean SlFrameSrcRegister(GstPlugin* plugin);
gboolean SlInferRegister(GstPlugin* plugin);
gboolean SlLatencyRegister(GstPlugin* plugin);
gboolean SlSkipRegister(GstPlugin* plugin);
gboolean SlStampRegister(GstPlugin* plugin);
gboolean SlTrackRegister(GstPlugin* plugin);
gboolean SlClassifyRegister(GstPlugin* plugin);
gboolean SlAnalyticsRegister(GstPlugin* plugin);
gboolean SlSampleRegister(GstPlugin* plugin);
gboolean SlMetaRegister(GstPlugin* plugin);
gboolean SlImageRegister(GstPlugin* plugin);
gboolean SlMotionRegister(GstPlugin* plugin);
gboolean SlRecordRegister(GstPlugin* plugin);
// Those of native/deepstream.
gboolean SlDsMetaRegister(GstPlugin* plugin);
gboolean SlDsSampleRegister(GstPlugin* plugin);
