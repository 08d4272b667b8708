#pragma once

#include <gst/gst.h>

#include <memory>
#include <string>

// Where a frame of a queue comes from: the stream and session of the pipeline that took its
// picture, which stand in its messages in place of this pipeline's own. slframesrc writes it; the
// meta carries no tags, so that a decoder copies it to the picture.
struct SlFrameOrigin {
  std::string stream_id;
  std::string session;
  std::string sensor_id;
  std::string record_suffix;
  guint64 pts_ns = 0;  // running time of that pipeline
  guint64 epoch = 0;
  bool late = false;  // a later frame of its camera went before it
};

// The frame's origin, or nullptr: then it is this pipeline's.
const SlFrameOrigin* SlFrameOriginGet(GstBuffer* buffer);
// `buffer` must be writable and have none.
void SlFrameOriginAdd(GstBuffer* buffer, std::shared_ptr<const SlFrameOrigin> origin);
