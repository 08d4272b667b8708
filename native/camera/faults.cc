#include "camera/faults.h"

#include <algorithm>
#include <cstdlib>
#include <regex>
#include <stdexcept>

namespace sightline::camera {
namespace {

/** A fault's name and what its value may be. */
struct Kind {
  const char* name;
  FaultKind kind;
  double lowest;
  double usual;
  double highest;
};

constexpr Kind kKinds[] = {
    {"die", FaultKind::kDie, 0, 0, 0},
    {"stop", FaultKind::kStop, 0, 0, 0},
    {"stall", FaultKind::kStall, 0, 0, 0},
    {"garbage", FaultKind::kGarbage, 0, 0, 0},
    {"damaged-pictures", FaultKind::kDamagedPictures, 0, 0, 0},
    {"freeze-clock", FaultKind::kFreezeClock, 0, 0, 0},
    {"clock-jump", FaultKind::kClockJump, -1e9, 3600, 1e9},
    {"no-sender-reports", FaultKind::kNoSenderReports, 0, 0, 0},
    {"packet-loss", FaultKind::kPacketLoss, 0, 1, 100},
    {"reorder", FaultKind::kReorder, 0, 1, 100},
    {"jitter", FaultKind::kJitter, 0, 50, 60'000},
    {"change-resolution", FaultKind::kChangeResolution, 0, 0, 0},
    {"unauthorized", FaultKind::kUnauthorized, 0, 0, 0},
    {"session-limit", FaultKind::kSessionLimit, 0, 1, 1e6},
    {"redirect", FaultKind::kRedirect, 0, 0, 0},
    {"slow", FaultKind::kSlow, 0, 0, 0},
    {"burst", FaultKind::kBurst, 2, 10, 1000},
    {"drop-key-frames", FaultKind::kDropKeyFrames, 0, 0, 0},
};

std::string Names() {
  std::string names;
  for (const Kind& kind : kKinds) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

Span ParseSpan(std::string text) {
  Span span;
  if (text.back() == 's') {
    span.is_seconds = true;
    text.pop_back();
  }
  span.amount = std::stoull(text);
  return span;
}

void ReadValue(const Kind& kind, const std::string& value, Fault& fault) {
  const std::string where = std::string("--fault ") + kind.name;
  if (kind.kind == FaultKind::kRedirect) {
    if (value.empty()) throw std::runtime_error(where + " needs a URL: redirect=rtsp://...");
    fault.url = value;
    return;
  }
  fault.value = kind.usual;
  if (value.empty()) return;
  if (kind.lowest == kind.highest) throw std::runtime_error(where + " takes no value");
  char* end = nullptr;
  fault.value = std::strtod(value.c_str(), &end);
  if (*end != '\0' || !(fault.value >= kind.lowest && fault.value <= kind.highest)) {
    throw std::runtime_error(where + "=" + value + " is not between " +
                             std::to_string(static_cast<long>(kind.lowest)) + " and " +
                             std::to_string(static_cast<long>(kind.highest)));
  }
}

}  // namespace

Fault ParseFault(const std::string& text) {
  static const std::regex form(
      R"(([a-z-]+)(?:=(.*?))?(?:@(\d{1,9}s?)(?:\+(\d{1,9}s?))?)?(?:#(\d{1,6})(?:-(\d{1,6}))?)?)");
  std::smatch parts;
  if (!std::regex_match(text, parts, form)) {
    throw std::runtime_error("--fault " + text +
                             " is not NAME[=VALUE][@START[+LENGTH]][#STREAM[-STREAM]]");
  }
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&parts](const Kind& one) { return parts[1] == one.name; });
  if (kind == std::end(kKinds)) {
    throw std::runtime_error("There is no fault \"" + parts[1].str() + "\"; there are " + Names());
  }
  Fault fault;
  fault.kind = kind->kind;
  ReadValue(*kind, parts[2], fault);
  if (parts[3].matched) fault.start = ParseSpan(parts[3]);
  if (parts[4].matched) fault.length = ParseSpan(parts[4]);
  if (parts[5].matched) {
    fault.first_stream = std::stoull(parts[5]);
    fault.last_stream = parts[6].matched ? std::stoull(parts[6]) : fault.first_stream;
  }
  return fault;
}

FaultSet::FaultSet(const std::vector<Fault>& all, std::uint64_t stream,
                   std::uint64_t frame_duration_ns)
    : frame_duration_(frame_duration_ns) {
  std::copy_if(all.begin(), all.end(), std::back_inserter(faults_), [stream](const Fault& fault) {
    return stream >= fault.first_stream && stream <= fault.last_stream;
  });
}

const Fault* FaultSet::Active(FaultKind kind, std::uint64_t frame, std::uint64_t of_viewing) const {
  for (const Fault& fault : faults_) {
    if (fault.kind != kind) continue;
    const std::uint64_t now = fault.each_viewing ? of_viewing : frame;
    const std::uint64_t start = fault.start.Frames(frame_duration_);
    if (now < start) continue;
    if (!fault.length || now - start < fault.length->Frames(frame_duration_)) return &fault;
  }
  return nullptr;
}

bool FaultSet::Has(FaultKind kind) const {
  return std::any_of(faults_.begin(), faults_.end(),
                     [kind](const Fault& fault) { return fault.kind == kind; });
}

}  // namespace sightline::camera
