#include "camera/udp.h"

#include <netdb.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <stdexcept>

namespace sightline::camera {
namespace {

constexpr int kTries = 200;
constexpr int kSendBuffer = 4 * 1024 * 1024;

const sockaddr* Pointer(const Address& address) {
  return reinterpret_cast<const sockaddr*>(&address.storage);
}

int Bound(const Address& address) {
  const int fd = socket(address.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSendBuffer, sizeof(kSendBuffer));
  if (bind(fd, Pointer(address), address.size) == 0) return fd;
  close(fd);
  return -1;
}

void Drain(int fd) {
  std::array<char, 2048> unread;
  while (recv(fd, unread.data(), unread.size(), MSG_DONTWAIT) >= 0) {
  }
}

}  // namespace

Address ResolveNumeric(const std::string& host, int port) {
  addrinfo hints = {};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) throw std::runtime_error(gai_strerror(failure));
  Address address;
  std::memcpy(&address.storage, found->ai_addr, found->ai_addrlen);
  address.size = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

Address Address::At(int port) const {
  Address other = *this;
  const in_port_t network = htons(static_cast<in_port_t>(port));
  if (storage.ss_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6*>(&other.storage)->sin6_port = network;
  } else {
    reinterpret_cast<sockaddr_in*>(&other.storage)->sin_port = network;
  }
  return other;
}

int PortOf(const Address& address) {
  // The port lies at the same place in both families.
  return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
}

UdpPair::UdpPair(Loop& loop, const Address& host) : loop_(loop) {
  int tries = 0;
  while (!Bind(host)) {
    if (++tries == kTries) throw std::runtime_error("No two neighbouring UDP ports are free");
  }
  for (const int fd : {media_, reports_}) {
    loop_.Watch(fd, EPOLLIN, [fd](std::uint32_t) { Drain(fd); });
  }
}

// RTP's port is even, and RTCP's the next (RFC 3550, 11).
bool UdpPair::Bind(const Address& host) {
  media_ = Bound(host.At(0));
  if (media_ < 0) return false;
  Address own = host;
  getsockname(media_, reinterpret_cast<sockaddr*>(&own.storage), &own.size);
  port_ = PortOf(own);
  if (port_ % 2 == 0) reports_ = Bound(host.At(port_ + 1));
  if (reports_ >= 0) return true;
  close(media_);
  return false;
}

bool UdpPair::SendMedia(const Address& to, std::vector<Packet>& packets) {
  constexpr std::size_t kBatch = 64;
  std::array<mmsghdr, kBatch> messages;
  std::array<std::array<iovec, 2>, kBatch> parts;
  for (std::size_t from = 0; from < packets.size(); from += kBatch) {
    const std::size_t count = std::min(kBatch, packets.size() - from);
    for (std::size_t index = 0; index < count; ++index) {
      Packet& packet = packets[from + index];
      parts[index] = {{{&packet.head[kInterleavedSize], packet.head_size - kInterleavedSize},
                       {const_cast<std::uint8_t*>(packet.payload.data), packet.payload.size}}};
      messages[index] = {};
      messages[index].msg_hdr.msg_name = const_cast<sockaddr*>(Pointer(to));
      messages[index].msg_hdr.msg_namelen = to.size;
      messages[index].msg_hdr.msg_iov = parts[index].data();
      messages[index].msg_hdr.msg_iovlen = 2;
    }
    const int sent = sendmmsg(media_, messages.data(), static_cast<unsigned>(count), MSG_DONTWAIT);
    if (sent != static_cast<int>(count)) return false;
  }
  return true;
}

void UdpPair::SendReport(const Address& to, const std::string& rtcp) {
  sendto(reports_, rtcp.data(), rtcp.size(), MSG_DONTWAIT, Pointer(to), to.size);
}

}  // namespace sightline::camera
