#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <utility>

namespace sightline::addon {

// An error that reaches JavaScript with a code of src/common/errors.ts and facts by name.
class Failure : public std::runtime_error {
 public:
  using Details = std::map<std::string, std::string>;

  Failure(std::string code, const std::string& message, Details details = {})
      : std::runtime_error(message), code_(std::move(code)), details_(std::move(details)) {}

  const std::string& code() const { return code_; }
  const Details& details() const { return details_; }

 private:
  std::string code_;
  Details details_;
};

// The codes this library raises itself.
inline constexpr char kSpecInvalid[] = "SL_SPEC_INVALID";
inline constexpr char kBackendUnsupported[] = "SL_BACKEND_UNSUPPORTED";
inline constexpr char kSourceUnsupported[] = "SL_SOURCE_UNSUPPORTED";
inline constexpr char kSourceRedirected[] = "SL_SOURCE_REDIRECTED";
inline constexpr char kPipelineFailed[] = "SL_PIPELINE_FAILED";
inline constexpr char kNotFound[] = "SL_NOT_FOUND";

}  // namespace sightline::addon
