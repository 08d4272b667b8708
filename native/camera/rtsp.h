#pragma once

#include <map>
#include <optional>
#include <string>

namespace sightline::camera {

/** A request (RFC 2326, 6). */
struct Request {
  std::string method;
  std::string url;
  /** By name in lower case. */
  std::map<std::string, std::string> headers;

  std::string Header(const std::string& name) const;
};

/** What a reader found at the start of what came. */
enum class Found { kNothing, kRequest, kPacket, kNonsense };

/** Takes the first request, or the first interleaved packet, off `text`. */
Found TakeFirst(std::string& text, Request& request);

/** Path of an RTSP URL, without query, the name of the media and a slash at the
 * end. */
std::string PathOf(const std::string& url);

/** How a viewer wants its packets (RFC 2326, 12.39). */
struct TransportWish {
  bool is_tcp = false;
  /** Channels, or ports of the viewer. */
  int first = 0;
  int second = 1;
};

/** The first of the offered transports that the camera has; empty where it has
 * none of them. */
std::optional<TransportWish> ParseTransport(const std::string& header);

/** A response; `headers` are whole lines with their ends. */
std::string Response(const Request& request, const std::string& status,
                     const std::string& headers = "", const std::string& body = "");

}  // namespace sightline::camera
