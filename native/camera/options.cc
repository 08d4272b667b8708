#include "camera/options.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "camera/owned.h"

namespace sightline::camera {
namespace {

std::string ReadPassword(int descriptor) {
  std::string text;
  std::array<char, 256> chunk;
  for (;;) {
    const ssize_t count = read(descriptor, chunk.data(), chunk.size());
    if (count < 0) throw std::runtime_error("Cannot read the password from --password-fd");
    if (count == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(count));
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

std::string Take(gchar* text, const std::string& fallback) {
  const Owned<gchar> owned(text);
  return text == nullptr ? fallback : std::string(text);
}

/** One of the options from before `--fault`: it starts anew with each viewing.
 */
void AddFault(FaultKind kind, gint64 start, Options& options) {
  if (start < 0) return;
  Fault fault;
  fault.kind = kind;
  fault.start.amount = static_cast<std::uint64_t>(start);
  fault.each_viewing = true;
  options.faults.push_back(fault);
}

void AddFaults(const gchar* const* texts, Options& options) {
  for (; texts != nullptr && *texts != nullptr; ++texts) {
    options.faults.push_back(ParseFault(*texts));
  }
}

void Check(const Options& options) {
  if (options.clip.empty()) throw std::runtime_error("--clip FILE is missing");
  if (options.port < 0 || options.port > 65535) {
    throw std::runtime_error("--port must be between 0 and 65535");
  }
  if (options.path.empty() || options.path.front() != '/') {
    throw std::runtime_error("--path must begin with /");
  }
  if (options.count < 0 || options.count > 10'000) {
    throw std::runtime_error("--count must be between 1 and 10000");
  }
  if (options.fps < 0 || options.fps > 1000) {
    throw std::runtime_error("--fps must be between 0 and 1000");
  }
  for (const Fault& fault : options.faults) {
    const bool skips = fault.kind == FaultKind::kSlow || fault.kind == FaultKind::kChangeResolution;
    if (options.overlay && skips) {
      throw std::runtime_error(
          "--overlay cannot be had with the faults slow and change-resolution");
    }
  }
  if (!options.user.empty() && options.password.empty()) {
    throw std::runtime_error(
        "--user needs a password: give --password-fd or "
        "SIGHTLINE_CAMERA_PASSWORD");
  }
}

}  // namespace

Options ParseOptions(int argc, char** argv) {
  Options options;
  gchar* clip = nullptr;
  gchar* address = nullptr;
  gchar* path = nullptr;
  gchar* user = nullptr;
  gint password_fd = -1;
  gint64 stop = -1;
  gint64 stall = -1;
  gint64 garbage = -1;
  gboolean with_parent = FALSE;
  gboolean overlay = FALSE;
  gboolean no_truth = FALSE;
  gboolean tell = FALSE;
  gchar** faults = nullptr;
  const GOptionEntry entries[] = {
      {"clip", 'c', 0, G_OPTION_ARG_FILENAME, &clip, "H.264 or H.265 video to loop", "FILE"},
      {"address", 'a', 0, G_OPTION_ARG_STRING, &address, "Listen here (127.0.0.1)", "ADDRESS"},
      {"port", 'p', 0, G_OPTION_ARG_INT, &options.port, "Port (8554; 0: any free one)", "N"},
      {"path", 0, 0, G_OPTION_ARG_STRING, &path, "Path of the stream (/cam)", "PATH"},
      {"count", 'n', 0, G_OPTION_ARG_INT, &options.count,
       "So many streams, at PATH1, PATH2 and so on", "N"},
      {"user", 0, 0, G_OPTION_ARG_STRING, &user, "Ask for this user (basic and digest)", "NAME"},
      {"password-fd", 0, 0, G_OPTION_ARG_INT, &password_fd, "Read the password from here", "FD"},
      {"fps", 0, 0, G_OPTION_ARG_DOUBLE, &options.fps, "Frame rate (the clip's own)", "RATE"},
      {"fault", 0, 0, G_OPTION_ARG_STRING_ARRAY, &faults,
       "Misbehave: NAME[=VALUE][@START[+LENGTH]][#STREAM[-STREAM]] "
       "(docs/fake-camera.md)",
       "FAULT"},
      {"overlay", 0, 0, G_OPTION_ARG_NONE, &overlay,
       "Draw the frame number and the clock into the picture", nullptr},
      {"no-ground-truth", 0, 0, G_OPTION_ARG_NONE, &no_truth,
       "Leave the frame number out of the stream", nullptr},
      {"tell-viewers", 0, 0, G_OPTION_ARG_NONE, &tell, "Print a line for each viewer that has gone",
       nullptr},
      {"stop-after-frames", 0, 0, G_OPTION_ARG_INT64, &stop, "Fault: die after N frames", "N"},
      {"stall-after-frames", 0, 0, G_OPTION_ARG_INT64, &stall,
       "Fault: fall silent after N frames, connections stay open", "N"},
      {"garbage-after-frames", 0, 0, G_OPTION_ARG_INT64, &garbage,
       "Fault: send noise in place of pictures after N frames", "N"},
      {"exit-with-parent", 0, 0, G_OPTION_ARG_NONE, &with_parent,
       "End when the parent process ends", nullptr},
      {nullptr, 0, 0, G_OPTION_ARG_NONE, nullptr, nullptr, nullptr}};

  const auto context = Adopt(g_option_context_new("- an RTSP camera that loops a clip"));
  g_option_context_add_main_entries(context.get(), entries, nullptr);
  GError* error = nullptr;
  const bool parsed = g_option_context_parse(context.get(), &argc, &argv, &error);
  const Owned<GError> owned_error(error);

  const std::unique_ptr<gchar*, decltype(&g_strfreev)> owned_faults(faults, &g_strfreev);
  options.clip = Take(clip, "");
  options.address = Take(address, options.address);
  options.path = Take(path, options.path);
  options.user = Take(user, "");
  options.overlay = overlay;
  options.no_ground_truth = no_truth;
  options.tell_viewers = tell;
  options.exit_with_parent = with_parent;
  if (!parsed) throw std::runtime_error(error->message);
  if (argc > 1) throw std::runtime_error(std::string("Unknown argument: ") + argv[1]);

  AddFault(FaultKind::kDie, stop, options);
  AddFault(FaultKind::kStall, stall, options);
  AddFault(FaultKind::kGarbage, garbage, options);
  AddFaults(owned_faults.get(), options);
  if (password_fd >= 0) {
    options.password = ReadPassword(password_fd);
  } else if (const char* text = std::getenv("SIGHTLINE_CAMERA_PASSWORD")) {
    options.password = text;
  }
  Check(options);
  return options;
}

}  // namespace sightline::camera
