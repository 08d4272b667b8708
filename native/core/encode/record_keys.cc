#include "core/encode/record_keys.h"

#include <array>
#include <charconv>
#include <ctime>

namespace sightline {
namespace {

void AppendNumber(std::uint64_t value, std::string* out) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out->append(digits.data(), end);
}

void AppendUtcHour(std::uint64_t unix_ns, std::string* out) {
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text;
  out->append(text.data(), std::strftime(text.data(), text.size(), "%Y/%m/%d/%H", &utc));
}

// What all records of a frame begin with.
void WriteFrameName(const FrameIdentity& identity, std::string* out) {
  out->assign(identity.stream_id).append("/").append(identity.session).append("/");
  AppendNumber(identity.sequence, out);
}

}  // namespace

void WriteFrameRecordId(const FrameIdentity& identity, std::string* out) {
  WriteFrameName(identity, out);
  out->append(identity.record_suffix);
}

void WriteImageRecordId(const FrameIdentity& identity, std::string* out) {
  WriteFrameName(identity, out);
  out->append("/image");
}

void WriteImageRef(const FrameIdentity& identity, std::string* out) {
  out->assign(identity.stream_id).append("/");
  AppendUtcHour(identity.capture_unix_ns, out);
  out->append("/").append(identity.session).append("-");
  AppendNumber(identity.sequence, out);
  out->append(".jpg");
}

}  // namespace sightline
