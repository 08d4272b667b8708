#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// One end of a Unix socket over which frames come, each as `u32le length | bytes`. Reading waits
// without limit and can be interrupted from another thread.
class SlFrameSocket {
 public:
  enum class Read { kFrame, kEnd, kInterrupted };

  SlFrameSocket();
  ~SlFrameSocket();
  SlFrameSocket(const SlFrameSocket&) = delete;
  SlFrameSocket& operator=(const SlFrameSocket&) = delete;

  // Connects and says, in one line, whose frames are wanted. Throws sightline::Error.
  void Connect(const std::string& path, const std::string& stream_id);
  void Close();
  // Reads one frame into memory that is the caller's to free with g_free. Throws sightline::Error
  // for a line that breaks inside of a frame, or a frame longer than `limit`.
  Read ReadFrame(std::uint32_t limit, char** bytes, std::size_t* size);
  // From any thread: the reading that waits, and every later one, ends until Resume().
  void Interrupt();
  void Resume();

 private:
  Read ReadBytes(char* into, std::size_t size, std::size_t* read);

  int socket_ = -1;
  int wake_ = -1;
};
