#include "camera/stream.h"

#include <time.h>

#include <algorithm>
#include <utility>

#include "camera/garbage.h"
#include "camera/rtcp.h"

namespace sightline::camera {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
// Sender reports carry the capture time; a viewer should not wait the usual
// five seconds for the first.
constexpr std::int64_t kReportInterval = kSecond;

std::uint64_t WallClock() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * kSecond + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint32_t RtpUnits(std::uint64_t ns) { return static_cast<std::uint32_t>(ns * 9 / 100'000); }

/** The same for each run, so that a run can be repeated; another for each
 * stream. */
std::uint32_t SsrcOf(std::uint16_t number) { return 0x51690000u + number; }

}  // namespace

std::uint64_t FrameDuration(const Options& options, const Clip& clip) {
  return options.fps > 0 ? static_cast<std::uint64_t>(kSecond / options.fps) : clip.frame_duration;
}

Stream::Stream(Loop& loop, const Programme& programme, const Options& options, std::uint16_t number,
               std::string path, std::function<void()> die)
    : loop_(loop),
      programme_(programme),
      number_(number),
      path_(std::move(path)),
      die_(std::move(die)),
      frame_duration_(FrameDuration(options, programme.clip)),
      has_ground_truth_(!options.no_ground_truth),
      faults_(options.faults, number, frame_duration_),
      packetiser_(programme.clip.codec, SsrcOf(number), static_cast<std::uint16_t>(number * 977)),
      first_timestamp_(SsrcOf(number) * 2'654'435'761u),
      random_(number) {}

const Fault* Stream::On(FaultKind kind) const {
  return faults_.empty() ? nullptr : faults_.Active(kind, tick_, tick_ - viewing_began_);
}

const Fault* Stream::AccessFault(FaultKind kind) {
  const std::int64_t now = Loop::Now();
  if (asked_ == 0) asked_ = now;
  const auto frame = static_cast<std::uint64_t>(now - asked_) / frame_duration_;
  return faults_.Active(kind, frame, frame);
}

std::shared_ptr<const AccessUnit> Stream::FirstUnit() {
  const auto& unit = programme_.clip.units.front().unit;
  if (AccessFault(FaultKind::kGarbage) == nullptr) return unit;
  return Scrambled(programme_.clip.codec, *unit, 0);
}

bool Stream::IsStopped() const {
  if (began_ == 0) return false;
  const auto frame = static_cast<std::uint64_t>(Loop::Now() - began_) / frame_duration_;
  return faults_.Active(FaultKind::kStop, frame, 0) != nullptr;
}

std::uint32_t Stream::TimestampOf(std::uint64_t shown) const {
  return first_timestamp_ + RtpUnits(shown * frame_duration_);
}

std::uint32_t Stream::RtpTime() const {
  if (began_ == 0) return first_timestamp_;
  return first_timestamp_ + RtpUnits(static_cast<std::uint64_t>(Loop::Now() - began_));
}

void Stream::FollowLive(std::int64_t began) {
  is_live_ = true;
  began_ = began;
}

void Stream::Take(std::shared_ptr<const AccessUnit> unit, std::uint64_t frame) {
  tick_ = frame;
  frame_ = frame;
  live_ = std::move(unit);
  Tick();
}

void Stream::Add(Viewer* viewer) {
  const bool is_first = seats_.empty();
  seats_.push_back({viewer, is_live_ || !is_first, {}});
  if (!is_first) return;
  const std::int64_t now = Loop::Now();
  if (began_ == 0) began_ = now;
  const std::uint64_t passed =
      (static_cast<std::uint64_t>(now - began_) + frame_duration_ - 1) / frame_duration_;
  if (passed > tick_) {
    frame_ += passed - tick_;
    tick_ = passed;
  }
  viewing_began_ = tick_;
  at_ = 0;
  is_smaller_ = false;
  frozen_.reset();
  held_.clear();
  Schedule();
}

Viewing Stream::Remove(Viewer* viewer) {
  const auto seat = std::find_if(seats_.begin(), seats_.end(),
                                 [viewer](const Seat& one) { return one.viewer == viewer; });
  if (seat == seats_.end()) return {};
  const Viewing viewing = seat->viewing;
  seats_.erase(seat);
  return viewing;
}

void Stream::Schedule() {
  if (is_scheduled_ || is_live_) return;
  is_scheduled_ = true;
  std::int64_t due = began_ + static_cast<std::int64_t>(tick_ * frame_duration_);
  if (const Fault* jitter = On(FaultKind::kJitter)) {
    const auto most = static_cast<std::int64_t>(jitter->value * 1e6);
    due += std::uniform_int_distribution<std::int64_t>(0, most)(random_);
  }
  loop_.At(due, [this] {
    is_scheduled_ = false;
    Tick();
  });
}

void Stream::Tick() {
  if (seats_.empty()) return;
  const std::int64_t late =
      Loop::Now() - began_ - static_cast<std::int64_t>(tick_ * frame_duration_);
  for (Seat& seat : seats_) seat.viewing.latest = std::max(seat.viewing.latest, late);
  Step();
  ++tick_;
  if (!seats_.empty()) Schedule();
}

// One frame time. A fault that withholds a frame leaves a hole in the numbers.
void Stream::Step() {
  if (On(FaultKind::kDie) != nullptr) die_();
  if (On(FaultKind::kStop) != nullptr) {
    const std::vector<Seat> seats = std::move(seats_);
    seats_.clear();
    for (const Seat& seat : seats) seat.viewer->Break();
    return;
  }
  Report();
  if (On(FaultKind::kStall) != nullptr) {
    ++frame_;
    return;
  }
  if (On(FaultKind::kSlow) != nullptr && tick_ % 2 == 1) return;
  Frame frame = NextFrame();
  if (frame.unit->is_key && On(FaultKind::kDropKeyFrames) != nullptr) return;
  if (On(FaultKind::kGarbage) != nullptr) {
    frame.unit = Scrambled(programme_.clip.codec, *frame.unit, frame.number);
  }
  if (On(FaultKind::kDamagedPictures) != nullptr) {
    frame.unit = Damaged(programme_.clip.codec, *frame.unit, frame.number);
  }
  SendOrHold(std::move(frame));
}

Stream::Frame Stream::NextFrame() {
  if (is_live_) return {std::move(live_), frame_++, tick_};
  const bool wants_smaller = On(FaultKind::kChangeResolution) != nullptr;
  if (wants_smaller != is_smaller_ && (at_ == 0 || Playing().units[at_].unit->is_key)) {
    is_smaller_ = wants_smaller;
    at_ = 0;
  }
  const Clip& clip = Playing();
  const ClipUnit& unit = clip.units[at_];
  const Frame frame{unit.unit, frame_++, tick_ + unit.rank + clip.reorder_depth - at_};
  if (++at_ == clip.units.size()) {
    at_ = 0;
    ++loop_number_;
  }
  return frame;
}

void Stream::SendOrHold(Frame frame) {
  const Fault* burst = On(FaultKind::kBurst);
  held_.push_back(std::move(frame));
  if (burst != nullptr && static_cast<double>(held_.size()) < burst->value) return;
  for (const Frame& one : held_) SendFrame(one);
  held_.clear();
}

void Stream::SendFrame(const Frame& frame) {
  nals_ = frame.unit->nals;
  if (has_ground_truth_) {
    WriteGroundTruth(programme_.clip.codec,
                     {number_, static_cast<std::uint32_t>(loop_number_), frame.number, WallClock(),
                      static_cast<std::uint64_t>(Loop::Now())},
                     truth_);
    const auto picture = std::find_if(nals_.begin(), nals_.end(), [this](Bytes nal) {
      const NalKind kind = KindOf(programme_.clip.codec, nal);
      return kind == NalKind::kPicture || kind == NalKind::kKeyPicture;
    });
    nals_.insert(picture, {truth_.data(), truth_.size()});
  }
  std::uint32_t timestamp = TimestampOf(frame.shown);
  if (On(FaultKind::kFreezeClock) != nullptr) {
    timestamp = frozen_.value_or(timestamp);
    frozen_ = timestamp;
  } else {
    frozen_.reset();
  }
  packetiser_.Pack(nals_, timestamp, packets_);
  Disturb();
  for (const Packet& packet : packets_) {
    ++packets_sent_;
    bytes_sent_ += static_cast<std::uint32_t>(packet.payload.size + packet.head_size);
  }
  for (Seat& seat : seats_) {
    if (seat.waits_for_key && !frame.unit->is_key) continue;
    const bool was_sent = seat.viewer->Send(packets_);
    // What comes without its reference is of no use: go on with a whole
    // picture.
    seat.waits_for_key = !was_sent;
    ++(was_sent ? seat.viewing.frames : seat.viewing.dropped);
  }
}

/** Loses and swaps packets. */
void Stream::Disturb() {
  if (faults_.empty()) return;
  const auto happens = [this](const Fault& fault) {
    return std::uniform_real_distribution<double>(0, 100)(random_) < fault.value;
  };
  if (const Fault* loss = On(FaultKind::kPacketLoss)) {
    packets_.erase(std::remove_if(packets_.begin(), packets_.end(),
                                  [&](const Packet&) { return happens(*loss); }),
                   packets_.end());
  }
  if (const Fault* reorder = On(FaultKind::kReorder)) {
    for (std::size_t at = 1; at < packets_.size(); ++at) {
      if (happens(*reorder)) std::swap(packets_[at - 1], packets_[at]);
    }
  }
}

void Stream::Report() {
  const std::int64_t now = Loop::Now();
  if (now - reported_ < kReportInterval && tick_ != viewing_began_) return;
  reported_ = now;
  if (On(FaultKind::kNoSenderReports) != nullptr) return;
  SenderReport report;
  report.ssrc = ssrc();
  report.wall_ns = WallClock();
  if (const Fault* jump = On(FaultKind::kClockJump)) {
    report.wall_ns += static_cast<std::uint64_t>(static_cast<std::int64_t>(jump->value * 1e9));
  }
  report.rtp_time = RtpTime();
  report.packets = packets_sent_;
  report.bytes = bytes_sent_;
  const std::string rtcp = WriteReport(report);
  for (Seat& seat : seats_) seat.viewer->SendReport(rtcp);
}

}  // namespace sightline::camera
