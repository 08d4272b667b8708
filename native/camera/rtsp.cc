#include "camera/rtsp.h"

#include <glib.h>

#include <algorithm>
#include <cstdio>
#include <sstream>

namespace sightline::camera {
namespace {

constexpr std::size_t kMaxRequest = 16 * 1024;
constexpr char kMedia[] = "/stream=0";

std::string Lower(std::string text) {
  for (char& letter : text) letter = static_cast<char>(g_ascii_tolower(letter));
  return text;
}

std::string Trimmed(const std::string& text) {
  const auto from = text.find_first_not_of(" \t\r");
  if (from == std::string::npos) return "";
  return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

Request Parse(const std::string& head) {
  Request request;
  std::istringstream lines(head);
  std::string line;
  std::getline(lines, line);
  std::istringstream(line) >> request.method >> request.url;
  while (std::getline(lines, line)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos) continue;
    request.headers[Lower(Trimmed(line.substr(0, colon)))] = Trimmed(line.substr(colon + 1));
  }
  return request;
}

}  // namespace

std::string Request::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Found TakeFirst(std::string& text, Request& request) {
  if (text.empty()) return Found::kNothing;
  if (text[0] == '$') {
    if (text.size() < 4) return Found::kNothing;
    const std::size_t size = 4 +
                             static_cast<std::size_t>(static_cast<unsigned char>(text[2])) * 256 +
                             static_cast<unsigned char>(text[3]);
    if (text.size() < size) return Found::kNothing;
    text.erase(0, size);
    return Found::kPacket;
  }
  const auto end = text.find("\r\n\r\n");
  if (end == std::string::npos) {
    return text.size() > kMaxRequest ? Found::kNonsense : Found::kNothing;
  }
  request = Parse(text.substr(0, end));
  std::size_t body = 0;
  if (std::sscanf(request.Header("content-length").c_str(), "%zu", &body) == 1) {
    if (body > kMaxRequest) return Found::kNonsense;
    if (text.size() < end + 4 + body) return Found::kNothing;
  }
  text.erase(0, end + 4 + body);
  return Found::kRequest;
}

std::string PathOf(const std::string& url) {
  const auto scheme = url.find("://");
  const auto slash = url.find('/', scheme == std::string::npos ? 0 : scheme + 3);
  if (slash == std::string::npos) return "/";
  std::string path = url.substr(slash, url.find('?') - slash);
  const std::size_t media = sizeof(kMedia) - 1;
  if (path.size() > media && path.compare(path.size() - media, media, kMedia) == 0) {
    path.resize(path.size() - media);
  }
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::optional<TransportWish> ParseTransport(const std::string& header) {
  std::istringstream offers(header);
  std::string offer;
  while (std::getline(offers, offer, ',')) {
    TransportWish wish;
    std::istringstream parts(offer);
    std::string part;
    std::getline(parts, part, ';');
    const std::string kind = Lower(Trimmed(part));
    wish.is_tcp = kind == "rtp/avp/tcp";
    bool has_ports = wish.is_tcp;
    bool is_multicast = false;
    if (!wish.is_tcp && kind != "rtp/avp" && kind != "rtp/avp/udp") continue;
    while (std::getline(parts, part, ';')) {
      part = Lower(Trimmed(part));
      const char* form = wish.is_tcp ? "interleaved=%d-%d" : "client_port=%d-%d";
      const int read = std::sscanf(part.c_str(), form, &wish.first, &wish.second);
      if (read == 1) wish.second = wish.first + 1;
      if (read >= 1) has_ports = true;
      if (part == "multicast") is_multicast = true;
    }
    const int most = wish.is_tcp ? 255 : 65'535;
    const bool is_valid =
        std::min(wish.first, wish.second) >= 0 && std::max(wish.first, wish.second) <= most;
    if (has_ports && !is_multicast && is_valid) return wish;
  }
  return std::nullopt;
}

std::string Response(const Request& request, const std::string& status, const std::string& headers,
                     const std::string& body) {
  std::string text = "RTSP/1.0 " + status + "\r\nCSeq: " + request.Header("cseq") +
                     "\r\nServer: sightline-camera\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

}  // namespace sightline::camera
