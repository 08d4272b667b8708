#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sightline::camera {

enum class FaultKind {
  kDie,
  kStop,
  kStall,
  kGarbage,
  kDamagedPictures,
  kFreezeClock,
  kClockJump,
  kNoSenderReports,
  kPacketLoss,
  kReorder,
  kJitter,
  kChangeResolution,
  kUnauthorized,
  kSessionLimit,
  kRedirect,
  kSlow,
  kBurst,
  kDropKeyFrames,
};

/** A number of frames, or of seconds. */
struct Span {
  std::uint64_t amount = 0;
  bool is_seconds = false;

  std::uint64_t Frames(std::uint64_t frame_duration_ns) const {
    return is_seconds ? amount * 1'000'000'000 / frame_duration_ns : amount;
  }
};

/** One `--fault`. */
struct Fault {
  FaultKind kind = FaultKind::kStall;
  double value = 0;
  /** Of a redirect. */
  std::string url;
  Span start;
  /** For ever where absent. */
  std::optional<Span> length;
  /** Starts anew with each viewing. */
  bool each_viewing = false;
  /** Numbers of the streams that have it. */
  std::uint64_t first_stream = 1;
  std::uint64_t last_stream = UINT64_MAX;
};

/**
 * Reads NAME[=VALUE][@START[+LENGTH]][#STREAM[-STREAM]]; times are frames, or
 * seconds with an s. Throws std::runtime_error.
 */
Fault ParseFault(const std::string& text);

/** The faults of one stream. */
class FaultSet {
 public:
  FaultSet(const std::vector<Fault>& all, std::uint64_t stream, std::uint64_t frame_duration_ns);

  /**
   * The fault of this kind that is on, or null. `frame` counts frame times
   * since the stream was first played, `of_viewing` since it is played without
   * a break.
   */
  const Fault* Active(FaultKind kind, std::uint64_t frame, std::uint64_t of_viewing) const;
  bool Has(FaultKind kind) const;
  bool empty() const { return faults_.empty(); }

 private:
  std::vector<Fault> faults_;
  std::uint64_t frame_duration_;
};

}  // namespace sightline::camera
