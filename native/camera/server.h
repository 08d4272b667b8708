#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <functional>
#include <string>

#include "camera/clip.h"
#include "camera/options.h"
#include "camera/owned.h"

namespace sightline::camera {

/** The RTSP server: one shared mount that plays the clip to everyone. Serves while the main loop
 * runs. */
class Server {
 public:
  /** `clip` and `options` must outlive the server; `on_stop` ends the process on purpose. */
  Server(const Clip& clip, const Options& options, std::function<void()> on_stop);

  /** Starts listening. Throws std::runtime_error when the address cannot be had. */
  void Listen();

  /** Where viewers find the stream (without credentials). */
  std::string Url() const;
  int Port() const;

 private:
  void AskForPassword();
  void Configure(GstRTSPMedia* media);

  const Clip& clip_;
  const Options& options_;
  std::function<void()> on_stop_;
  Owned<GstRTSPServer> server_;
};

}  // namespace sightline::camera
