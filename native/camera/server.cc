#include "camera/server.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace sightline::camera {

Server::Server(Loop& loop, const Programme& programme, const Options& options,
               std::function<void()> die, OnGone on_gone)
    : loop_(loop),
      options_(options),
      on_gone_(std::move(on_gone)),
      auth_(options.user, options.password),
      parts_{loop, auth_,
             [this](const std::string& path) {
               const auto found = by_path_.find(path);
               return found == by_path_.end() ? nullptr : found->second;
             },
             [this]() -> UdpPair& { return Udp(); }} {
  if (options.count == 0) AddStream(programme, 1, options.path, die);
  for (int number = 1; number <= options.count; ++number) {
    AddStream(programme, static_cast<std::uint16_t>(number), options.path + std::to_string(number),
              die);
  }
}

void Server::AddStream(const Programme& programme, std::uint16_t number, std::string path,
                       const std::function<void()>& die) {
  streams_.push_back(std::make_unique<Stream>(loop_, programme, options_, number, path, die));
  by_path_[path] = streams_.back().get();
}

void Server::Listen() {
  const auto fail = [this](const std::string& why) {
    throw std::runtime_error("Cannot listen on " + options_.address + ":" +
                             std::to_string(options_.port) + ": " + why);
  };
  Address address;
  try {
    address = ResolveNumeric(options_.address, options_.port);
  } catch (const std::runtime_error& error) {
    fail(error.what());
  }
  listener_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (listener_ < 0 ||
      bind(listener_, reinterpret_cast<sockaddr*>(&address.storage), address.size) != 0 ||
      listen(listener_, SOMAXCONN) != 0) {
    fail(std::strerror(errno));
  }
  getsockname(listener_, reinterpret_cast<sockaddr*>(&address.storage), &address.size);
  port_ = PortOf(address);
  loop_.Watch(listener_, EPOLLIN, [this](std::uint32_t) { Accept(); });
}

void Server::Follow(Overlay& overlay) {
  overlay.Start(
      [this] {
        return std::any_of(streams_.begin(), streams_.end(),
                           [](const auto& stream) { return stream->viewers() > 0; });
      },
      [this](const std::shared_ptr<const AccessUnit>& unit, std::uint64_t frame) {
        for (const auto& stream : streams_) stream->Take(unit, frame);
      });
  for (const auto& stream : streams_) stream->FollowLive(overlay.began());
}

UdpPair& Server::Udp() {
  if (!udp_) udp_ = std::make_unique<UdpPair>(loop_, ResolveNumeric(options_.address, 0));
  return *udp_;
}

void Server::Accept() {
  Address peer;
  peer.size = sizeof(peer.storage);
  const int fd = accept4(listener_, reinterpret_cast<sockaddr*>(&peer.storage), &peer.size,
                         SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) return;
  auto connection = std::make_unique<Connection>(fd, peer, parts_, [this](Connection& gone) {
    if (gone.stream() != nullptr) on_gone_(*gone.stream(), gone.viewing());
    // It may be in the middle of a call.
    loop_.At(0, [this, ended = &gone] { connections_.erase(ended); });
  });
  connections_[connection.get()] = std::move(connection);
}

std::vector<std::string> Server::Urls() const {
  const std::string host = options_.address.find(':') == std::string::npos
                               ? options_.address
                               : "[" + options_.address + "]";
  std::vector<std::string> urls;
  for (const auto& stream : streams_) {
    urls.push_back("rtsp://" + host + ":" + std::to_string(port_) + stream->path());
  }
  return urls;
}

}  // namespace sightline::camera
