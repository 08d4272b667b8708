#pragma once

#include <gst/gst.h>

// What Sightline's elements know about one frame. The meta carries no tags, so that depayloaders,
// parsers, decoders and encoders copy it from their input to their output (gst_video_decoder's and
// gst_base_parse's default).
//
// Who writes what: slstamp the arrival and decode fields, slinfer the inference fields, sltrack
// `track_end_ns`, slmotion `moved`, slsample `image`; slmeta and slimage read. Every element works
// without the ones before it: SlFrameMetaEnsure() adds a blank meta where none is.

enum SlCaptureClock {
  SL_CAPTURE_CLOCK_UNSPECIFIED = 0,
  SL_CAPTURE_CLOCK_ARRIVAL = 1,
  SL_CAPTURE_CLOCK_RTCP_SENDER_REPORT = 2,
  SL_CAPTURE_CLOCK_MEDIA = 3,
};

struct SlFrameMeta {
  GstMeta meta;

  guint64 sequence;         // decoded frames of the session, from 0; SL_NO_SEQUENCE until known
  guint64 capture_unix_ns;  // capture time, ns since the Unix epoch; 0 until known
  SlCaptureClock capture_clock;
  guint64 receive_ns;      // monotonic (g_get_monotonic_time * 1000) at the first packet; 0 unknown
  guint64 decode_end_ns;   // monotonic, when the decoder gave the picture; 0 unknown
  guint64 infer_start_ns;  // monotonic; 0 when no detector ran
  guint64 infer_end_ns;
  guint64 track_end_ns;
  gboolean inferred;  // the detector ran on this very frame
  gboolean image;     // chosen: its picture is stored
  gboolean moved;     // something moves in it; FALSE also where nobody looked
  GQuark model_name;  // 0 unknown
  GQuark model_version;
  GQuark execution_provider;
  GQuark tracker;
};

constexpr guint64 SL_NO_SEQUENCE = G_MAXUINT64;

GType SlFrameMetaApiGetType();
const GstMetaInfo* SlFrameMetaGetInfo();
// The frame's meta, or nullptr.
SlFrameMeta* SlFrameMetaGet(GstBuffer* buffer);
// The frame's meta, added blank where there is none. `buffer` must be writable.
SlFrameMeta* SlFrameMetaEnsure(GstBuffer* buffer);
