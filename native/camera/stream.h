#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "camera/clip.h"
#include "camera/faults.h"
#include "camera/ground_truth.h"
#include "camera/loop.h"
#include "camera/options.h"
#include "camera/rtp.h"
#include "camera/viewer.h"

namespace sightline::camera {

/** What a viewer got, told when it has gone. */
struct Viewing {
  std::uint64_t frames = 0;
  /** Frames that this viewer took too slowly to get. */
  std::uint64_t dropped = 0;
  /** The most that a frame was sent after its time, in ns. */
  std::int64_t latest = 0;
};

/** What all streams play. */
struct Programme {
  Clip clip;
  /** For change-resolution; empty without that fault. */
  Clip smaller;
};

/** In ns: what the options say, else the clip. */
std::uint64_t FrameDuration(const Options& options, const Clip& clip);

/**
 * Plays the clip to its viewers, for ever, with time stamps that go on growing
 * over the loops. Frames are numbered by their time since the stream was first
 * played, whether anybody watches or not; each viewing begins with the clip's
 * first picture, and who comes later gets the next key frame first.
 */
class Stream {
 public:
  /** `programme` and `loop` must outlive the stream; `die` ends the process. */
  Stream(Loop& loop, const Programme& programme, const Options& options, std::uint16_t number,
         std::string path, std::function<void()> die);

  const std::string& path() const { return path_; }
  const Clip& clip() const { return programme_.clip; }
  /** What a viewing begins with, as it would be sent now: of a camera that sends noise, noise. */
  std::shared_ptr<const AccessUnit> FirstUnit();
  std::uint32_t ssrc() const { return packetiser_.ssrc(); }
  std::uint16_t sequence() const { return packetiser_.sequence(); }
  /** RTP time now. */
  std::uint32_t RtpTime() const;

  /** A fault of access that is on now; its clock begins with the first
   * question. */
  const Fault* AccessFault(FaultKind kind);
  /** Whether the fault "stop" is on, so that nobody is let in. */
  bool IsStopped() const;
  /** Viewers that play. */
  std::size_t viewers() const { return seats_.size(); }

  /** From now on the stream plays what `Take` gets, frame 0 of which was due at
   * `began`. */
  void FollowLive(std::int64_t began);
  /** Sends a frame of the live encoder. */
  void Take(std::shared_ptr<const AccessUnit> unit, std::uint64_t frame);

  void Add(Viewer* viewer);
  /** Forgets a viewer and says what it got; it may be one that was never added.
   */
  Viewing Remove(Viewer* viewer);

 private:
  struct Seat {
    Viewer* viewer;
    bool waits_for_key;
    Viewing viewing;
  };
  struct Frame {
    std::shared_ptr<const AccessUnit> unit;
    std::uint64_t number;
    std::uint64_t shown;
  };

  const Fault* On(FaultKind kind) const;
  void Schedule();
  void Tick();
  void Step();
  Frame NextFrame();
  void SendOrHold(Frame frame);
  void SendFrame(const Frame& frame);
  void Disturb();
  void Report();
  std::uint32_t TimestampOf(std::uint64_t shown) const;
  const Clip& Playing() const { return is_smaller_ ? programme_.smaller : programme_.clip; }

  Loop& loop_;
  const Programme& programme_;
  std::uint16_t number_;
  std::string path_;
  std::function<void()> die_;
  std::uint64_t frame_duration_;
  bool has_ground_truth_;
  FaultSet faults_;
  Packetiser packetiser_;
  std::uint32_t first_timestamp_;
  std::mt19937_64 random_;
  std::vector<Seat> seats_;

  bool is_live_ = false;
  std::shared_ptr<const AccessUnit> live_;
  std::int64_t asked_ = 0;
  std::int64_t began_ = 0;
  std::uint64_t tick_ = 0;
  std::uint64_t viewing_began_ = 0;
  std::uint64_t frame_ = 0;
  std::uint64_t loop_number_ = 0;
  std::size_t at_ = 0;
  bool is_smaller_ = false;
  bool is_scheduled_ = false;
  std::optional<std::uint32_t> frozen_;
  std::vector<Frame> held_;
  std::int64_t reported_ = 0;
  std::uint32_t packets_sent_ = 0;
  std::uint32_t bytes_sent_ = 0;
  // Used again for each frame.
  std::vector<std::uint8_t> truth_;
  std::vector<Bytes> nals_;
  std::vector<Packet> packets_;
};

}  // namespace sightline::camera
