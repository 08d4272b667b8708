#pragma once

#include <gst/gst.h>

#include "camera/owned.h"

namespace sightline::camera {

/**
 * A copy of an access unit with noise in place of every NAL unit's payload. Start codes and NAL
 * headers stay, so that the noise travels as valid RTP up to the viewer's decoder. The same seed
 * gives the same noise.
 */
Owned<GstBuffer> Scrambled(GstBuffer* unit, guint64 seed);

}  // namespace sightline::camera
