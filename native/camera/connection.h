#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "camera/auth.h"
#include "camera/loop.h"
#include "camera/rtsp.h"
#include "camera/stream.h"
#include "camera/udp.h"
#include "camera/viewer.h"

namespace sightline::camera {

/** What a connection asks the server for. */
struct ServerParts {
  Loop& loop;
  const Auth& auth;
  /** The stream at a path; null where there is none. */
  std::function<Stream*(const std::string& path)> find;
  /** Made when the first viewer wants it. */
  std::function<UdpPair&()> udp;
};

/** One RTSP connection (RFC 2326) and the stream that it plays. */
class Connection : public Viewer {
 public:
  /** Takes `fd`; `gone` is called once, when the connection has ended. */
  Connection(int fd, Address peer, ServerParts& parts, std::function<void(Connection&)> gone);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool Send(std::vector<Packet>& packets) override;
  void SendReport(const std::string& rtcp) override;
  void Break() override;

  /** The stream that was played; null where none was. */
  Stream* stream() { return stream_; }
  const Viewing& viewing() const { return viewing_; }

 private:
  void OnEvents(std::uint32_t events);
  bool Read();
  void Flush();
  void Write(std::vector<struct iovec>& parts);
  std::string Answer(const Request& request);
  std::string AnswerFor(const Request& request, Stream& stream);
  std::string Setup(const Request& request, Stream& stream);

  int fd_;
  Address peer_;
  ServerParts& parts_;
  std::function<void(Connection&)> gone_;
  std::string unread_;
  std::string unsent_;
  std::optional<TransportWish> transport_;
  Stream* stream_ = nullptr;
  bool plays_ = false;
  bool is_over_ = false;
  Viewing viewing_;
};

}  // namespace sightline::camera
