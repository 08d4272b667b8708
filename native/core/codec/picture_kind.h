#pragma once

#include <cstddef>
#include <cstdint>

namespace sightline {

enum class VideoCodec { kOther, kH264, kH265 };

// Whether no other picture needs this one: the first slice of the access unit says so in its NAL
// header (H.264: nal_ref_idc 0, ITU-T H.264 7.4.1; H.265: a sub-layer non-reference picture, ITU-T
// H.265 7.4.2.2). `length_bytes` is the size of the length in front of each NAL unit (avcC, hvcC);
// 0: start codes. Anything that cannot be read is taken for a picture that others need.
bool IsNonReference(VideoCodec codec, const uint8_t* data, size_t size, int length_bytes);

// The size of the NAL lengths that avcC or hvcC codec data promises; 0 when it is too short.
int NalLengthBytes(VideoCodec codec, const uint8_t* codec_data, size_t size);

}  // namespace sightline
