#include "camera/sdp.h"

#include <glib.h>

#include <cstdio>
#include <map>

namespace sightline::camera {
namespace {

std::string Base64(Bytes bytes) {
  gchar* encoded = g_base64_encode(bytes.data, bytes.size);
  std::string result = encoded;
  g_free(encoded);
  return result;
}

std::string H264Format(const AccessUnit& first) {
  std::string sets;
  std::string profile;
  for (const Bytes nal : first.nals) {
    if (KindOf(Codec::kH264, nal) != NalKind::kParameters) continue;
    sets += (sets.empty() ? "" : ",") + Base64(nal);
    if ((nal.data[0] & 0x1f) != 7 || nal.size < 4) continue;
    char text[8];
    std::snprintf(text, sizeof(text), "%02x%02x%02x", nal.data[1], nal.data[2], nal.data[3]);
    profile = std::string(";profile-level-id=") + text;
  }
  return "packetization-mode=1" + profile + (sets.empty() ? "" : ";sprop-parameter-sets=" + sets);
}

std::string H265Format(const AccessUnit& first) {
  static const std::map<int, const char*> names = {
      {32, "sprop-vps"}, {33, "sprop-sps"}, {34, "sprop-pps"}};
  std::string format;
  for (const Bytes nal : first.nals) {
    const auto name = names.find((nal.data[0] >> 1) & 0x3f);
    if (name == names.end()) continue;
    format += (format.empty() ? "" : ";") + std::string(name->second) + "=" + Base64(nal);
  }
  return format;
}

}  // namespace

std::string Describe(Codec codec, const AccessUnit& first) {
  const bool is_h264 = codec == Codec::kH264;
  return std::string(
             "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Sightline "
             "camera\r\nt=0 0\r\n") +
         "a=control:*\r\na=range:npt=now-\r\nm=video 0 RTP/AVP 96\r\nc=IN IP4 "
         "0.0.0.0\r\n" +
         "a=rtpmap:96 " + (is_h264 ? "H264" : "H265") + "/90000\r\na=fmtp:96 " +
         (is_h264 ? H264Format(first) : H265Format(first)) + "\r\na=control:stream=0\r\n";
}

}  // namespace sightline::camera
