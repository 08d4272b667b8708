#include "addon/redirect_guard.h"

#include <gst/rtsp/gstrtspmessage.h>
#include <gst/rtsp/gstrtspurl.h>

#include <memory>
#include <string>

#include "addon/dynamic_link.h"
#include "addon/gst_ptr.h"
#include "common/guard.h"

namespace sightline::addon {
namespace {

constexpr int kMaxRedirects = 7;
constexpr char kOpening[] = "sightline-opening";

struct FreeUrl {
  void operator()(GstRTSPUrl* url) const { gst_rtsp_url_free(url); }
};

// What one element has asked for until it was told how to receive. Touched by one thread at a time:
// that which opens the connection, and after its error the one that reads the bus.
struct Opening {
  std::string host;
  int redirects = 0;
  // Since it began to ask: again on the same connection means that a password was asked for.
  bool described = false;
  bool refused = false;
};

std::string HostOf(const char* uri) {
  GstRTSPUrl* parsed = nullptr;
  if (uri == nullptr || gst_rtsp_url_parse(uri, &parsed) != GST_RTSP_OK) return "";
  const std::unique_ptr<GstRTSPUrl, FreeUrl> url(parsed);
  return url->host == nullptr ? "" : url->host;
}

Failure ToOtherHost(const Opening& opening, const std::string& host) {
  return Failure(kSourceRedirected,
                 "The camera at \"" + opening.host + "\" redirects to the host \"" + host +
                     "\", which is not followed. Where that is the right one, its address belongs "
                     "into the spec",
                 {{"host", host}});
}

std::optional<Failure> Check(Opening& opening, GstRTSPMethod method, const char* uri) {
  const std::string host = HostOf(uri);
  if (opening.host.empty()) opening.host = host;
  if (g_ascii_strcasecmp(host.c_str(), opening.host.c_str()) != 0) {
    return ToOtherHost(opening, host);
  }
  // After a redirect rtspsrc begins anew, with OPTIONS.
  if (method == GST_RTSP_OPTIONS && opening.described) opening.redirects++;
  opening.described = method == GST_RTSP_DESCRIBE;
  if (opening.redirects > kMaxRedirects) {
    return Failure(kSourceRedirected, "The camera at \"" + opening.host +
                                          "\" redirects again and again, which is not followed");
  }
  return std::nullopt;
}

// False: the request is not sent.
gboolean OnBeforeSend(GstElement* element, GstRTSPMessage* message, gpointer data) {
  return Guard(element, TRUE, [&]() -> gboolean {
    auto& opening = *static_cast<Opening*>(data);
    GstRTSPMethod method = GST_RTSP_INVALID;
    const gchar* uri = nullptr;
    if (gst_rtsp_message_parse_request(message, &method, &uri, nullptr) != GST_RTSP_OK) return TRUE;
    // Later requests go to where the description says, which may be the camera's name for itself.
    if (method == GST_RTSP_SETUP) opening.described = false;
    const bool opens =
        method == GST_RTSP_DESCRIBE || (method == GST_RTSP_OPTIONS && opening.described);
    if (!opens && !opening.host.empty()) return !opening.refused;
    if (opening.refused) return FALSE;
    const auto failure = Check(opening, method, uri);
    if (!failure) return TRUE;
    opening.refused = true;
    gst_element_post_message(element, FailureMessage(element, *failure).release());
    return FALSE;
  });
}

}  // namespace

void GuardRedirects(GstElement* element) {
  if (g_signal_lookup("before-send", G_OBJECT_TYPE(element)) == 0) return;
  auto* opening = new Opening();
  g_object_set_data_full(G_OBJECT(element), kOpening, opening,
                         [](gpointer data) { delete static_cast<Opening*>(data); });
  g_signal_connect(element, "before-send", G_CALLBACK(OnBeforeSend), opening);
}

std::optional<Failure> RedirectOf(GstElement* element) {
  const auto* opening = static_cast<Opening*>(g_object_get_data(G_OBJECT(element), kOpening));
  if (opening == nullptr || opening->host.empty() || opening->refused) return std::nullopt;
  gchar* location = nullptr;
  g_object_get(element, "location", &location, nullptr);
  const Owned<gchar> owned(location);
  const std::string host = HostOf(location);
  if (host.empty() || g_ascii_strcasecmp(host.c_str(), opening->host.c_str()) == 0) {
    return std::nullopt;
  }
  return ToOtherHost(*opening, host);
}

}  // namespace sightline::addon
