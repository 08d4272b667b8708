// The built-in RTSP camera of the demo and the tests: loops a clip as a network camera would send
// it, and can misbehave on purpose. Prints one JSON line on stdout once viewers can connect.
#include <glib-unix.h>
#include <gst/gst.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <string>

#include "camera/clip.h"
#include "camera/options.h"
#include "camera/server.h"

namespace sightline::camera {
namespace {

constexpr int kUsageError = 2;

void EndWithParent() {
  const pid_t parent = getppid();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
}

std::string Quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + '"';
}

void PrintLine(const std::string& line) {
  std::fprintf(stdout, "%s\n", line.c_str());
  std::fflush(stdout);
}

// Viewers may be in the middle of anything; the kernel closes their connections, as when a camera
// loses power.
[[noreturn]] void DieMidStream() {
  PrintLine(R"({"event":"stopped"})");
  _exit(0);
}

gboolean EndAtOnce(gpointer) { _exit(0); }

int Run(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  if (options.exit_with_parent) EndWithParent();
  gst_init(nullptr, nullptr);
  g_unix_signal_add(SIGTERM, EndAtOnce, nullptr);
  g_unix_signal_add(SIGINT, EndAtOnce, nullptr);

  const Clip clip = ReadClip(options.clip);
  Server server(clip, options, [] { DieMidStream(); });
  server.Listen();
  PrintLine("{\"event\":\"listening\",\"url\":" + Quoted(server.Url()) +
            ",\"port\":" + std::to_string(server.Port()) +
            ",\"frames\":" + std::to_string(clip.units.size()) + "}");
  g_main_loop_run(g_main_loop_new(nullptr, FALSE));
  return 0;
}

}  // namespace
}  // namespace sightline::camera

int main(int argc, char** argv) {
  try {
    return sightline::camera::Run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sightline-camera: %s\n", error.what());
    return sightline::camera::kUsageError;
  }
}
