#pragma once

#include <cstdint>
#include <memory>

#include "camera/clip.h"

namespace sightline::camera {

/**
 * A copy of an access unit with noise in place of every NAL unit's payload. NAL
 * headers stay, so that the noise travels as valid RTP up to the viewer's
 * decoder. The same seed gives the same noise.
 */
std::shared_ptr<const AccessUnit> Scrambled(Codec codec, const AccessUnit& unit,
                                            std::uint64_t seed);

/**
 * A copy with noise in place of what pictures are made of alone. Parameter sets and the first bytes
 * of each slice, its header among them, stay: a decoder finds pictures and patches them up.
 */
std::shared_ptr<const AccessUnit> Damaged(Codec codec, const AccessUnit& unit, std::uint64_t seed);

}  // namespace sightline::camera
