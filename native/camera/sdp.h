#pragma once

#include <string>

#include "camera/clip.h"

namespace sightline::camera {

/**
 * Describes one video stream that begins with this access unit (RFC 4566; fmtp: RFC 6184, 8.1 and
 * RFC 7798, 7.1).
 */
std::string Describe(Codec codec, const AccessUnit& first);

}  // namespace sightline::camera
