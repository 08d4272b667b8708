#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "camera/loop.h"
#include "camera/rtp.h"

namespace sightline::camera {

/** An address with its length. */
struct Address {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  /** The same host at another port. */
  Address At(int port) const;
};

/** A numeric address; throws std::runtime_error. */
Address ResolveNumeric(const std::string& host, int port);
int PortOf(const Address& address);

/** The pair of sockets that all viewers by UDP get their packets from. What
 * they send is read and forgotten. */
class UdpPair {
 public:
  UdpPair(Loop& loop, const Address& host);
  UdpPair(const UdpPair&) = delete;
  UdpPair& operator=(const UdpPair&) = delete;

  /** False when the kernel took only a part. */
  bool SendMedia(const Address& to, std::vector<Packet>& packets);
  void SendReport(const Address& to, const std::string& rtcp);
  int port() const { return port_; }

 private:
  bool Bind(const Address& host);

  Loop& loop_;
  int media_ = -1;
  int reports_ = -1;
  int port_ = 0;
};

}  // namespace sightline::camera
