#include "camera/connection.h"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <utility>

#include "camera/sdp.h"

namespace sightline::camera {
namespace {

// About ten seconds of a camera at 3 Mbit/s: who lags that far behind gets
// whole pictures again later.
constexpr std::size_t kMaxUnsent = 4 * 1024 * 1024;
constexpr char kMethods[] =
    "Public: OPTIONS, DESCRIBE, SETUP, PLAY, "
    "GET_PARAMETER, SET_PARAMETER, TEARDOWN\r\n";
constexpr char kSession[] = "Session: 1;timeout=60\r\n";

}  // namespace

Connection::Connection(int fd, Address peer, ServerParts& parts,
                       std::function<void(Connection&)> gone)
    : fd_(fd), peer_(peer), parts_(parts), gone_(std::move(gone)) {
  const int on = 1;
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  parts_.loop.Watch(fd_, EPOLLIN, [this](std::uint32_t events) { OnEvents(events); });
}

Connection::~Connection() { close(fd_); }

void Connection::Break() {
  if (is_over_) return;
  is_over_ = true;
  parts_.loop.Forget(fd_);
  shutdown(fd_, SHUT_RDWR);
  if (plays_) viewing_ = stream_->Remove(this);
  gone_(*this);
}

void Connection::OnEvents(std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) Flush();
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !is_over_ && !Read()) Break();
}

bool Connection::Read() {
  std::array<char, 4096> chunk;
  const ssize_t count = recv(fd_, chunk.data(), chunk.size(), MSG_DONTWAIT);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  unread_.append(chunk.data(), static_cast<std::size_t>(count));
  for (;;) {
    Request request;
    const Found found = TakeFirst(unread_, request);
    if (found == Found::kNonsense) return false;
    if (found == Found::kNothing) return true;
    if (found == Found::kPacket) continue;
    std::string answer = Answer(request);
    std::vector<iovec> parts = {{answer.data(), answer.size()}};
    Write(parts);
    if (request.method == "TEARDOWN") return false;
    if (request.method == "PLAY" && transport_ && !plays_ && answer.find(" 200 ") == 8) {
      plays_ = true;
      stream_->Add(this);
    }
  }
}

std::string Connection::Answer(const Request& request) {
  if (request.method == "OPTIONS") return Response(request, "200 OK", kMethods);
  Stream* stream = parts_.find(PathOf(request.url));
  if (stream == nullptr) return Response(request, "404 Not Found");
  if (!parts_.auth.Admits(request) || stream->AccessFault(FaultKind::kUnauthorized) != nullptr) {
    return Response(request, "401 Unauthorized", parts_.auth.Challenge());
  }
  return AnswerFor(request, *stream);
}

std::string Connection::AnswerFor(const Request& request, Stream& stream) {
  if (request.method == "DESCRIBE") {
    if (const Fault* redirect = stream.AccessFault(FaultKind::kRedirect)) {
      return Response(request, "302 Found", "Location: " + redirect->url + "\r\n");
    }
    return Response(request, "200 OK",
                    "Content-Type: application/sdp\r\nContent-Base: " + request.url + "/\r\n",
                    Describe(stream.clip().codec, *stream.FirstUnit()));
  }
  if (request.method == "SETUP") return Setup(request, stream);
  if (request.method == "PLAY") {
    if (!transport_) return Response(request, "455 Method Not Valid in This State");
    return Response(request, "200 OK", std::string(kSession) + "Range: npt=now-\r\n");
  }
  for (const char* method : {"GET_PARAMETER", "SET_PARAMETER", "TEARDOWN"}) {
    if (request.method == method) return Response(request, "200 OK", kSession);
  }
  return Response(request, "405 Method Not Allowed");
}

std::string Connection::Setup(const Request& request, Stream& stream) {
  if (plays_) return Response(request, "455 Method Not Valid in This State");
  const Fault* limit = stream.AccessFault(FaultKind::kSessionLimit);
  if (limit != nullptr && static_cast<double>(stream.viewers()) >= limit->value) {
    return Response(request, "453 Not Enough Bandwidth");
  }
  if (stream.IsStopped()) return Response(request, "503 Service Unavailable");
  transport_ = ParseTransport(request.Header("transport"));
  if (!transport_) return Response(request, "461 Unsupported Transport");
  stream_ = &stream;
  const std::string pair =
      std::to_string(transport_->first) + "-" + std::to_string(transport_->second);
  std::string transport = "RTP/AVP/TCP;unicast;interleaved=" + pair;
  if (!transport_->is_tcp) {
    const int port = parts_.udp().port();
    transport = "RTP/AVP;unicast;client_port=" + pair + ";server_port=" + std::to_string(port) +
                "-" + std::to_string(port + 1);
  }
  char ssrc[9];
  std::snprintf(ssrc, sizeof(ssrc), "%08X", stream.ssrc());
  return Response(request, "200 OK",
                  "Transport: " + transport + ";ssrc=" + ssrc + "\r\n" + kSession);
}

bool Connection::Send(std::vector<Packet>& packets) {
  if (!transport_->is_tcp) {
    return parts_.udp().SendMedia(peer_.At(transport_->first), packets);
  }
  if (unsent_.size() > kMaxUnsent) return false;
  std::vector<iovec> parts;
  parts.reserve(packets.size() * 2);
  for (Packet& packet : packets) {
    packet.head[1] = static_cast<std::uint8_t>(transport_->first);
    parts.push_back({packet.head.data(), packet.head_size});
    parts.push_back({const_cast<std::uint8_t*>(packet.payload.data), packet.payload.size});
  }
  Write(parts);
  return true;
}

void Connection::SendReport(const std::string& rtcp) {
  if (!transport_->is_tcp) {
    parts_.udp().SendReport(peer_.At(transport_->second), rtcp);
    return;
  }
  std::string framed = {'$', static_cast<char>(transport_->second),
                        static_cast<char>(rtcp.size() >> 8), static_cast<char>(rtcp.size())};
  framed += rtcp;
  std::vector<iovec> parts = {{framed.data(), framed.size()}};
  Write(parts);
}

// What the kernel does not take now is kept; a dead connection is found when it
// is read.
void Connection::Write(std::vector<iovec>& parts) {
  std::size_t at = 0;
  while (unsent_.empty() && at < parts.size()) {
    msghdr message = {};
    message.msg_iov = &parts[at];
    message.msg_iovlen = std::min<std::size_t>(parts.size() - at, IOV_MAX);
    ssize_t sent = sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) return;
      break;
    }
    for (; at < parts.size() && static_cast<std::size_t>(sent) >= parts[at].iov_len; ++at) {
      sent -= static_cast<ssize_t>(parts[at].iov_len);
    }
    if (sent > 0) {
      parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + sent;
      parts[at].iov_len -= static_cast<std::size_t>(sent);
    }
  }
  if (at == parts.size() || is_over_) return;
  if (unsent_.empty()) parts_.loop.Change(fd_, EPOLLIN | EPOLLOUT);
  for (; at < parts.size(); ++at) {
    unsent_.append(static_cast<const char*>(parts[at].iov_base), parts[at].iov_len);
  }
}

void Connection::Flush() {
  const ssize_t sent = send(fd_, unsent_.data(), unsent_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent < 0) return;
  unsent_.erase(0, static_cast<std::size_t>(sent));
  if (unsent_.empty()) parts_.loop.Change(fd_, EPOLLIN);
}

}  // namespace sightline::camera
