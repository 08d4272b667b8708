#pragma once

#include <string>

#include "core/encode/frame_message.h"

namespace sightline {

// Writes messages of proto/sightline/v1/frame.proto as protobuf bytes. Fields at their default are
// left out, as every proto3 encoder does. An encoder keeps its memory: once it has seen the largest
// message it allocates nothing. The returned bytes stay valid until the next call.
class MessageEncoder {
 public:
  const std::string& Encode(const FrameMessage& message);
  const std::string& Encode(const ImageMessage& message);

 private:
  std::string bytes_;
  std::string key_;
};

}  // namespace sightline
