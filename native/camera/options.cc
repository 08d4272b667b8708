#include "camera/options.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
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

std::optional<std::uint64_t> Frames(gint64 value) {
  if (value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

void Check(const Options& options) {
  if (options.clip.empty()) throw std::runtime_error("--clip FILE is missing");
  if (options.port < 0 || options.port > 65535) {
    throw std::runtime_error("--port must be between 0 and 65535");
  }
  if (options.path.empty() || options.path.front() != '/') {
    throw std::runtime_error("--path must begin with /");
  }
  if (options.fps < 0 || options.fps > 1000) {
    throw std::runtime_error("--fps must be between 0 and 1000");
  }
  if (!options.user.empty() && options.password.empty()) {
    throw std::runtime_error(
        "--user needs a password: give --password-fd or SIGHTLINE_CAMERA_PASSWORD");
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
  const GOptionEntry entries[] = {
      {"clip", 'c', 0, G_OPTION_ARG_FILENAME, &clip, "H.264 video to loop", "FILE"},
      {"address", 'a', 0, G_OPTION_ARG_STRING, &address, "Listen here (127.0.0.1)", "ADDRESS"},
      {"port", 'p', 0, G_OPTION_ARG_INT, &options.port, "Port (8554; 0: any free one)", "N"},
      {"path", 0, 0, G_OPTION_ARG_STRING, &path, "Path of the stream (/cam)", "PATH"},
      {"user", 0, 0, G_OPTION_ARG_STRING, &user, "Ask for this user (basic and digest)", "NAME"},
      {"password-fd", 0, 0, G_OPTION_ARG_INT, &password_fd, "Read the password from here", "FD"},
      {"fps", 0, 0, G_OPTION_ARG_DOUBLE, &options.fps, "Frame rate (the clip's own)", "RATE"},
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

  options.clip = Take(clip, "");
  options.address = Take(address, options.address);
  options.path = Take(path, options.path);
  options.user = Take(user, "");
  options.stop_after = Frames(stop);
  options.stall_after = Frames(stall);
  options.garbage_after = Frames(garbage);
  options.exit_with_parent = with_parent;
  if (!parsed) throw std::runtime_error(error->message);
  if (argc > 1) throw std::runtime_error(std::string("Unknown argument: ") + argv[1]);

  if (password_fd >= 0) {
    options.password = ReadPassword(password_fd);
  } else if (const char* text = std::getenv("SIGHTLINE_CAMERA_PASSWORD")) {
    options.password = text;
  }
  Check(options);
  return options;
}

}  // namespace sightline::camera
