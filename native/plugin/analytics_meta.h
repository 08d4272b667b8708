#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include "core/encode/frame_message.h"

// How results of slanalytics travel.
//
// Of an object: a structure "analytics" on its GstVideoRegionOfInterestMeta, only where something
// applies to it, with the fields that are not empty: zones, overcrowded_zones, lines_crossed
// (GstValueArray of strings), direction (string), stopped (boolean). Each slanalytics of a pipeline
// adds its own.
//
// Of a frame: SlAnalyticsMeta, one a frame, to which each slanalytics adds. Like SlFrameMeta it has
// no tags and follows the picture through every transformation.

struct SlZoneCount {
  GQuark id;
  guint objects;
  gboolean overcrowded;
};

struct SlLineCount {
  GQuark id;
  guint64 crossings;
  guint64 crossings_total;
};

struct SlAnalyticsMeta {
  GstMeta meta;

  GArray* zones;  // of SlZoneCount
  GArray* lines;  // of SlLineCount
};

GType SlAnalyticsMetaApiGetType();
const GstMetaInfo* SlAnalyticsMetaGetInfo();

// Adds counts to the frame's. `buffer` must be writable.
void SlAddFrameAnalytics(GstBuffer* buffer, const sightline::FrameAnalytics& counts);
// Adds what applies to an object, if anything does.
void SlAddObjectAnalytics(GstVideoRegionOfInterestMeta* region,
                          const sightline::ObjectAnalytics& results);

// Reads what is on a frame, ids sorted; views live as long as the buffer's metadata.
void SlReadFrameAnalytics(GstBuffer* buffer, sightline::FrameAnalytics* counts);
void SlReadObjectAnalytics(const GstVideoRegionOfInterestMeta* region,
                           sightline::ObjectAnalytics* results);
