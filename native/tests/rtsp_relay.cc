// A second, independent RTSP server for the tests (gst-rtsp-server): reads the
// camera at argv[1] by TCP and serves what it sends at /relayed, by TCP and
// UDP. argv[2] is the port, 0 for a free one, which it prints.
#include <gst/rtsp-server/rtsp-server.h>
#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  gst_init(nullptr, nullptr);
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(
      factory,
      "( rtspsrc name=camera protocols=tcp latency=0 ! rtph264depay ! "
      "h264parse ! "
      "rtph264pay name=pay0 pt=96 config-interval=-1 )");
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  gst_rtsp_media_factory_set_protocols(
      factory, static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP));
  g_signal_connect(factory, "media-constructed",
                   G_CALLBACK(+[](GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer url) {
                     GstElement* bin = gst_rtsp_media_get_element(media);
                     GstElement* camera = gst_bin_get_by_name(GST_BIN(bin), "camera");
                     g_object_set(camera, "location", url, nullptr);
                     gst_object_unref(camera);
                     gst_object_unref(bin);
                   }),
                   argv[1]);
  GstRTSPServer* server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, argv[2]);
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/relayed", factory);
  g_object_unref(mounts);
  if (gst_rtsp_server_attach(server, nullptr) == 0) return 1;
  std::printf("%d\n", gst_rtsp_server_get_bound_port(server));
  std::fflush(stdout);
  g_main_loop_run(g_main_loop_new(nullptr, FALSE));
}
