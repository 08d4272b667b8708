#include "plugin/frame_socket.h"

#include <glib.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "core/error.h"

using sightline::Error;
using sightline::ErrorKind;

namespace {

// Frees what g_malloc gave.
struct Free {
  void operator()(char* bytes) const { g_free(bytes); }
};

Error Failed(const std::string& what, int error) {
  return Error(ErrorKind::kFailed, what + ": " + std::strerror(error));
}

}  // namespace

SlFrameSocket::SlFrameSocket() : wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

SlFrameSocket::~SlFrameSocket() {
  Close();
  if (wake_ >= 0) close(wake_);
}

void SlFrameSocket::Connect(const std::string& path, const std::string& stream_id) {
  Close();
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(address.sun_path)) {
    throw Error(ErrorKind::kSettings, "socket-path is not set or too long");
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  socket_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) throw Failed("Cannot make a socket", errno);
  if (connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    const int error = errno;
    Close();
    throw Failed("Cannot connect to " + path, error);
  }
  const std::string hello = stream_id + "\n";
  // A line fits the socket's buffer, which is empty.
  if (send(socket_, hello.data(), hello.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(hello.size())) {
    const int error = errno;
    Close();
    throw Failed("Cannot write to " + path, error);
  }
}

void SlFrameSocket::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

SlFrameSocket::Read SlFrameSocket::ReadBytes(char* into, std::size_t size, std::size_t* read) {
  *read = 0;
  while (*read < size) {
    pollfd waiting[] = {{socket_, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(waiting, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throw Failed("Cannot wait for a frame", errno);
    }
    if (waiting[1].revents != 0) return Read::kInterrupted;
    const ssize_t got = recv(socket_, into + *read, size - *read, MSG_DONTWAIT);
    if (got == 0) return Read::kEnd;
    if (got > 0) {
      *read += static_cast<std::size_t>(got);
    } else if (errno != EAGAIN && errno != EINTR) {
      throw Failed("Cannot read a frame", errno);
    }
  }
  return Read::kFrame;
}

SlFrameSocket::Read SlFrameSocket::ReadFrame(std::uint32_t limit, char** bytes, std::size_t* size) {
  unsigned char head[4];
  std::size_t read = 0;
  Read result = ReadBytes(reinterpret_cast<char*>(head), sizeof(head), &read);
  if (result == Read::kEnd && read != 0) {
    throw Error(ErrorKind::kFailed, "The line of frames broke inside of a frame");
  }
  if (result != Read::kFrame) return result;
  const std::uint32_t length =
      head[0] | head[1] << 8 | head[2] << 16 | static_cast<std::uint32_t>(head[3]) << 24;
  if (length > limit) {
    throw Error(ErrorKind::kFailed, "A frame of " + std::to_string(length) + " bytes is too long");
  }
  std::unique_ptr<char, Free> memory(static_cast<char*>(g_malloc(length)));
  result = ReadBytes(memory.get(), length, &read);
  if (result == Read::kEnd) {
    throw Error(ErrorKind::kFailed, "The line of frames broke inside of a frame");
  }
  if (result != Read::kFrame) return result;
  *bytes = memory.release();
  *size = length;
  return Read::kFrame;
}

void SlFrameSocket::Interrupt() {
  const std::uint64_t one = 1;
  // Can only fail when it is set already.
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
}

void SlFrameSocket::Resume() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(wake_, &count, sizeof(count));
}
