#pragma once

#include <stdexcept>
#include <string>

namespace sightline {

// What a caller would do about a failure, coarser than its text.
enum class ErrorKind {
  kNotFound,  // a file or library is not there: give another path
  kSettings,  // a configuration asks for what cannot be: change it
  kLibrary,   // the runtime library cannot be used: install another
  kModel,     // the model file cannot be used: convert or fetch it again
  kNoGpu,     // a GPU is required and cannot be used: mend it, or allow the CPU
  kFailed,    // anything else
};

// A failure whose text says what was tried, on what, and what to do.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

}  // namespace sightline
