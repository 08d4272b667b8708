#pragma once

#include <gst/gst.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "camera/owned.h"

namespace sightline::camera {

/** The file has no track of the codec that was asked for. */
struct WrongCodec : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/** A pipeline from the file in its `filesrc` "file" to its `appsink` "units".
 */
class UnitReader {
 public:
  UnitReader(const char* pipeline, const std::string& path);
  ~UnitReader();
  UnitReader(const UnitReader&) = delete;
  UnitReader& operator=(const UnitReader&) = delete;

  /** The next access unit; empty at the end. Throws after 60 s without one, and
   * on an error. */
  Owned<GstSample> Next();

 private:
  void ThrowOnError();

  Owned<GstElement> pipeline_;
  Owned<GstElement> sink_;
  Owned<GstBus> bus_;
};

std::vector<std::uint8_t> BytesOf(GstBuffer* buffer);

}  // namespace sightline::camera
