#include "camera/auth.h"

#include <glib.h>

#include <random>
#include <utility>

namespace sightline::camera {
namespace {

constexpr char kRealm[] = "sightline-camera";

std::string Md5(const std::string& text) {
  gchar* digest = g_compute_checksum_for_string(G_CHECKSUM_MD5, text.c_str(), -1);
  std::string result = digest;
  g_free(digest);
  return result;
}

std::string Base64(const std::string& text) {
  gchar* encoded = g_base64_encode(reinterpret_cast<const guchar*>(text.data()), text.size());
  std::string result = encoded;
  g_free(encoded);
  return result;
}

/** The value of name="value" among the parameters. */
std::string Parameter(const std::string& text, const std::string& name) {
  const std::string start = name + "=\"";
  for (auto at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    if (at > 0 && text[at - 1] != ' ' && text[at - 1] != ',') continue;
    const auto from = at + start.size();
    return text.substr(from, text.find('"', from) - from);
  }
  return "";
}

}  // namespace

Auth::Auth(std::string user, std::string password)
    : user_(std::move(user)), password_(std::move(password)) {
  std::random_device random;
  for (int word = 0; word < 4; ++word) nonce_ += std::to_string(random());
  nonce_ = Md5(nonce_);
}

bool Auth::Admits(const Request& request) const {
  if (IsOpen()) return true;
  const std::string given = request.Header("authorization");
  if (given == "Basic " + Base64(user_ + ":" + password_)) return true;
  if (given.compare(0, 7, "Digest ") != 0) return false;
  const std::string secret = Md5(user_ + ":" + kRealm + ":" + password_);
  const std::string asked = Md5(request.method + ":" + Parameter(given, "uri"));
  return Parameter(given, "username") == user_ && Parameter(given, "nonce") == nonce_ &&
         Parameter(given, "response") == Md5(secret + ":" + nonce_ + ":" + asked);
}

std::string Auth::Challenge() const {
  const std::string realm = std::string("realm=\"") + kRealm + "\"";
  return "WWW-Authenticate: Digest " + realm + ", nonce=\"" + nonce_ +
         "\"\r\nWWW-Authenticate: Basic " + realm + "\r\n";
}

}  // namespace sightline::camera
