#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "camera/nal.h"

namespace sightline::camera {

/** An RTP packet: its head, made for it, and a part of the access unit, which
 * is not copied. */
struct Packet {
  /** Interleaved frame header (RFC 2326, 10.12; 4 bytes), RTP header (12),
   * payload header (<= 3).
   */
  std::array<std::uint8_t, 19> head;
  std::size_t head_size = 0;
  Bytes payload;
};

/** Bytes in front of the RTP header in `Packet::head`; not sent by UDP. */
constexpr std::size_t kInterleavedSize = 4;

/** Makes RTP of NAL units (RFC 6184, packetization mode 1; RFC 7798). One per
 * SSRC. */
class Packetiser {
 public:
  Packetiser(Codec codec, std::uint32_t ssrc, std::uint16_t sequence)
      : codec_(codec), ssrc_(ssrc), sequence_(sequence) {}

  /** Replaces `packets` with one access unit's; the last has the marker. They
   * point into `nals`. */
  void Pack(const std::vector<Bytes>& nals, std::uint32_t timestamp, std::vector<Packet>& packets);

  std::uint32_t ssrc() const { return ssrc_; }
  /** Number of the next packet. */
  std::uint16_t sequence() const { return sequence_; }

 private:
  void Whole(Bytes nal, std::uint32_t timestamp, std::vector<Packet>& packets);
  void Fragments(Bytes nal, std::uint32_t timestamp, std::vector<Packet>& packets);
  Packet& Begin(std::uint32_t timestamp, std::vector<Packet>& packets);

  Codec codec_;
  std::uint32_t ssrc_;
  std::uint16_t sequence_;
};

}  // namespace sightline::camera
