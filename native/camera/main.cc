// The built-in RTSP camera of the demo and the tests: loops a clip as a network
// camera would send it, and can misbehave on purpose. Prints one JSON line on
// stdout once viewers can connect.
#include <gst/gst.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "camera/clip.h"
#include "camera/loop.h"
#include "camera/options.h"
#include "camera/overlay.h"
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

// Viewers may be in the middle of anything; the kernel closes their
// connections, as when a camera loses power.
[[noreturn]] void DieMidStream() {
  PrintLine(R"({"event":"stopped"})");
  _exit(0);
}

void EndAtOnce(int) { _exit(0); }

std::string Listed(const std::vector<std::string>& urls) {
  std::string list;
  for (const std::string& url : urls) list += (list.empty() ? "" : ",") + Quoted(url);
  return "[" + list + "]";
}

void TellGone(const Stream& stream, const Viewing& viewing) {
  PrintLine("{\"event\":\"viewer-gone\",\"path\":" + Quoted(stream.path()) + ",\"frames\":" +
            std::to_string(viewing.frames) + ",\"dropped\":" + std::to_string(viewing.dropped) +
            ",\"latestMs\":" + std::to_string(viewing.latest / 1'000'000) + "}");
}

Programme ReadProgramme(const Options& options) {
  Programme programme;
  programme.clip = ReadClip(options.clip);
  for (const Fault& fault : options.faults) {
    if (fault.kind != FaultKind::kChangeResolution || !programme.smaller.units.empty()) continue;
    if (programme.clip.codec != Codec::kH264) {
      throw std::runtime_error("--fault change-resolution needs a clip of H.264");
    }
    programme.smaller = ReadHalfSize(options.clip, programme.clip);
  }
  return programme;
}

int Run(int argc, char** argv) {
  const Options options = ParseOptions(argc, argv);
  if (options.exit_with_parent) EndWithParent();
  gst_init(nullptr, nullptr);
  signal(SIGTERM, EndAtOnce);
  signal(SIGINT, EndAtOnce);

  Programme programme = ReadProgramme(options);
  Loop loop;
  const Clip drawn_on = programme.clip;
  std::unique_ptr<Overlay> overlay;
  if (options.overlay) {
    overlay = std::make_unique<Overlay>(loop, drawn_on, FrameDuration(options, drawn_on));
    programme.clip.codec = Codec::kH264;
    programme.clip.units = {{overlay->first(), 0}};
  }
  Server server(
      loop, programme, options, [] { DieMidStream(); },
      [&options](const Stream& stream, const Viewing& viewing) {
        if (options.tell_viewers) TellGone(stream, viewing);
      });
  server.Listen();
  if (overlay) server.Follow(*overlay);
  const std::vector<std::string> urls = server.Urls();
  PrintLine("{\"event\":\"listening\",\"url\":" + Quoted(urls.front()) + ",\"port\":" +
            std::to_string(server.Port()) + ",\"frames\":" + std::to_string(drawn_on.units.size()) +
            ",\"urls\":" + Listed(urls) + "}");
  loop.Run();
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
