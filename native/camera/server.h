#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "camera/auth.h"
#include "camera/connection.h"
#include "camera/loop.h"
#include "camera/options.h"
#include "camera/overlay.h"
#include "camera/stream.h"
#include "camera/udp.h"

namespace sightline::camera {

/** The RTSP server: all streams at one port. Serves while the loop runs. */
class Server {
 public:
  /** Called for each viewer that has gone. */
  using OnGone = std::function<void(const Stream& stream, const Viewing& viewing)>;

  /** `loop`, `programme` and `options` must outlive the server; `die` ends the
   * process. */
  Server(Loop& loop, const Programme& programme, const Options& options, std::function<void()> die,
         OnGone on_gone);

  /** Starts listening. Throws std::runtime_error when the address cannot be
   * had. */
  void Listen();

  /** Lets all streams play what the overlay gives. */
  void Follow(Overlay& overlay);

  int Port() const { return port_; }
  /** Where viewers find the streams (without credentials). */
  std::vector<std::string> Urls() const;

 private:
  void AddStream(const Programme& programme, std::uint16_t number, std::string path,
                 const std::function<void()>& die);
  UdpPair& Udp();
  void Accept();

  Loop& loop_;
  const Options& options_;
  OnGone on_gone_;
  Auth auth_;
  ServerParts parts_;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::map<std::string, Stream*> by_path_;
  std::map<Connection*, std::unique_ptr<Connection>> connections_;
  std::unique_ptr<UdpPair> udp_;
  int listener_ = -1;
  int port_ = 0;
};

}  // namespace sightline::camera
