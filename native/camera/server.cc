#include "camera/server.h"

#include <stdexcept>
#include <utility>

#include "camera/feeder.h"

namespace sightline::camera {
namespace {

constexpr char kRole[] = "viewer";
// Sender reports carry the capture time; a viewer should not wait the usual five seconds for the
// first.
constexpr guint64 kReportInterval = GST_SECOND;

GstRTSPMediaFactory* NewFactory() {
  GstRTSPMediaFactory* factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, "( appsrc name=units ! rtph264pay name=pay0 pt=96 )");
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  gst_rtsp_media_factory_set_protocols(
      factory, static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP));
  gst_rtsp_media_factory_add_role(factory, kRole, GST_RTSP_PERM_MEDIA_FACTORY_ACCESS,
                                  G_TYPE_BOOLEAN, TRUE, GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT,
                                  G_TYPE_BOOLEAN, TRUE, nullptr);
  return factory;
}

void ReportOften(GstRTSPMedia* media) {
  for (guint index = 0; index < gst_rtsp_media_n_streams(media); ++index) {
    const auto session =
        Adopt(gst_rtsp_stream_get_rtpsession(gst_rtsp_media_get_stream(media, index)));
    if (session) g_object_set(session.get(), "rtcp-min-interval", kReportInterval, nullptr);
  }
}

gboolean ForgetDeadSessions(gpointer server) {
  const auto pool = Adopt(gst_rtsp_server_get_session_pool(GST_RTSP_SERVER(server)));
  gst_rtsp_session_pool_cleanup(pool.get());
  return G_SOURCE_CONTINUE;
}

}  // namespace

Server::Server(const Clip& clip, const Options& options, std::function<void()> on_stop)
    : clip_(clip), options_(options), on_stop_(std::move(on_stop)), server_(gst_rtsp_server_new()) {
  gst_rtsp_server_set_address(server_.get(), options_.address.c_str());
  gst_rtsp_server_set_service(server_.get(), std::to_string(options_.port).c_str());
  GstRTSPMediaFactory* factory = NewFactory();
  g_signal_connect(factory, "media-configure",
                   G_CALLBACK(+[](GstRTSPMediaFactory*, GstRTSPMedia* media, gpointer self) {
                     static_cast<Server*>(self)->Configure(media);
                   }),
                   this);
  const auto mounts = Adopt(gst_rtsp_server_get_mount_points(server_.get()));
  gst_rtsp_mount_points_add_factory(mounts.get(), options_.path.c_str(), factory);
  if (!options_.user.empty()) AskForPassword();
}

void Server::AskForPassword() {
  const auto auth = Adopt(gst_rtsp_auth_new());
  gst_rtsp_auth_set_realm(auth.get(), "sightline-camera");
  gst_rtsp_auth_set_supported_methods(
      auth.get(), static_cast<GstRTSPAuthMethod>(GST_RTSP_AUTH_BASIC | GST_RTSP_AUTH_DIGEST));
  GstRTSPToken* token =
      gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, kRole, nullptr);
  const auto basic =
      Adopt(gst_rtsp_auth_make_basic(options_.user.c_str(), options_.password.c_str()));
  gst_rtsp_auth_add_basic(auth.get(), basic.get(), token);
  gst_rtsp_auth_add_digest(auth.get(), options_.user.c_str(), options_.password.c_str(), token);
  gst_rtsp_token_unref(token);
  gst_rtsp_server_set_auth(server_.get(), auth.get());
}

// Runs once for each media, before it plays. The feeder lives as long as the media.
void Server::Configure(GstRTSPMedia* media) {
  const auto bin = Adopt(gst_rtsp_media_get_element(media));
  const auto source = Adopt(gst_bin_get_by_name_recurse_up(GST_BIN(bin.get()), "units"));
  auto* feeder = new Feeder(clip_, options_, on_stop_);
  g_object_set_data_full(G_OBJECT(media), "sightline-feeder", feeder,
                         [](gpointer data) { delete static_cast<Feeder*>(data); });
  feeder->Attach(GST_APP_SRC(source.get()));
  g_signal_connect(media, "prepared",
                   G_CALLBACK(+[](GstRTSPMedia* ready, gpointer) { ReportOften(ready); }), nullptr);
}

void Server::Listen() {
  GError* error = nullptr;
  GSource* source = gst_rtsp_server_create_source(server_.get(), nullptr, &error);
  const Owned<GError> owned_error(error);
  if (source == nullptr) {
    throw std::runtime_error("Cannot listen on " + options_.address + ":" +
                             std::to_string(options_.port) + ": " +
                             (error == nullptr ? "unknown reason" : error->message));
  }
  g_source_attach(source, nullptr);
  g_source_unref(source);
  g_timeout_add_seconds(2, ForgetDeadSessions, server_.get());
}

int Server::Port() const { return gst_rtsp_server_get_bound_port(server_.get()); }

std::string Server::Url() const {
  const std::string host = options_.address.find(':') == std::string::npos
                               ? options_.address
                               : "[" + options_.address + "]";
  return "rtsp://" + host + ":" + std::to_string(Port()) + options_.path;
}

}  // namespace sightline::camera
