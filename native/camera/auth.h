#pragma once

#include <string>

#include "camera/rtsp.h"

namespace sightline::camera {

/** One user with a password, by basic or digest (RFC 7617, RFC 2617 with MD5
 * and no qop). */
class Auth {
 public:
  /** Without a user everybody may come in. */
  Auth(std::string user, std::string password);

  bool IsOpen() const { return user_.empty(); }
  bool Admits(const Request& request) const;
  /** Header lines of a 401. */
  std::string Challenge() const;

 private:
  std::string user_;
  std::string password_;
  std::string nonce_;
};

}  // namespace sightline::camera
