#pragma once

#include <string>

#include "camera/clip.h"

namespace sightline::camera {

/** Describes the clip as one video stream (RFC 4566; fmtp: RFC 6184, 8.1 and
 * RFC 7798, 7.1). */
std::string Describe(const Clip& clip);

}  // namespace sightline::camera
