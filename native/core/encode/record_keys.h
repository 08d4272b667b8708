#pragma once

#include <string>

#include "core/encode/frame_message.h"

namespace sightline {

// Each function replaces `*out`, whose memory is reused.

// "<stream_id>/<session>/<sequence><record_suffix>"
void WriteFrameRecordId(const FrameIdentity& identity, std::string* out);
// "<stream_id>/<session>/<sequence>/image"
void WriteImageRecordId(const FrameIdentity& identity, std::string* out);
// "<stream_id>/yyyy/MM/dd/HH/<session>-<sequence>.jpg", the hour of the capture time in UTC.
void WriteImageRef(const FrameIdentity& identity, std::string* out);

}  // namespace sightline
