#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <string>
#include <thread>

namespace sightline::test {

// A real RTSP server in this process, on a port of its own, with one H.264 stream at 25 pictures a
// second and the RTCP sender reports any camera sends.
class TestCamera {
 public:
  TestCamera() {
    gst_rtsp_server_set_address(server_, "127.0.0.1");
    gst_rtsp_server_set_service(server_, "0");
    GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
    gst_rtsp_media_factory_set_launch(
        factory,
        "( videotestsrc is-live=true ! video/x-raw,width=320,height=240,framerate=25/1 ! "
        "x264enc tune=zerolatency key-int-max=25 ! rtph264pay name=pay0 pt=96 )");
    GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server_);
    gst_rtsp_mount_points_add_factory(mounts, "/camera", factory);
    g_object_unref(mounts);
    gst_rtsp_server_attach(server_, context_);
    url_ =
        "rtsp://127.0.0.1:" + std::to_string(gst_rtsp_server_get_bound_port(server_)) + "/camera";
    thread_ = std::thread([this] { g_main_loop_run(loop_); });
  }
  ~TestCamera() {
    g_main_context_invoke(context_, Quit, loop_);
    thread_.join();
    g_object_unref(server_);
    g_main_loop_unref(loop_);
    g_main_context_unref(context_);
  }
  TestCamera(const TestCamera&) = delete;
  TestCamera& operator=(const TestCamera&) = delete;

  const std::string& url() const { return url_; }

 private:
  static gboolean Quit(gpointer loop) {
    g_main_loop_quit(static_cast<GMainLoop*>(loop));
    return G_SOURCE_REMOVE;
  }

  GMainContext* context_ = g_main_context_new();
  GMainLoop* loop_ = g_main_loop_new(context_, FALSE);
  GstRTSPServer* server_ = gst_rtsp_server_new();
  std::string url_;
  std::thread thread_;
};

}  // namespace sightline::test
