#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "camera/rtp.h"

namespace sightline::camera {

/** Who watches a stream. */
class Viewer {
 public:
  virtual ~Viewer() = default;
  /** Sends one access unit's packets; what they point to may go afterwards.
   * False: it was left out whole or in part, as the viewer takes too little. */
  virtual bool Send(std::vector<Packet>& packets) = 0;
  virtual void SendReport(const std::string& rtcp) = 0;
  /** Breaks the connection; the viewer is not called again. */
  virtual void Break() = 0;
};

}  // namespace sightline::camera
