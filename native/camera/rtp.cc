#include "camera/rtp.h"

#include <algorithm>

namespace sightline::camera {
namespace {

constexpr std::size_t kMaxPayload = 1400 - 12;
constexpr std::uint8_t kVersion2 = 0x80;
constexpr std::uint8_t kPayloadType = 96;
constexpr std::uint8_t kMarker = 0x80;
constexpr std::uint8_t kStart = 0x80;
constexpr std::uint8_t kEnd = 0x40;
constexpr std::uint8_t kFuA = 28;
constexpr std::uint8_t kH265Fragment = 49;

void Store(std::uint8_t* at, std::uint64_t value, int bytes) {
  for (int index = bytes - 1; index >= 0; --index, value >>= 8) {
    at[index] = static_cast<std::uint8_t>(value);
  }
}

void Finish(Packet& packet, Bytes payload) {
  packet.payload = payload;
  packet.head[0] = '$';
  packet.head[1] = 0;
  Store(&packet.head[2], packet.head_size - kInterleavedSize + payload.size, 2);
}

}  // namespace

void Packetiser::Pack(const std::vector<Bytes>& nals, std::uint32_t timestamp,
                      std::vector<Packet>& packets) {
  packets.clear();
  for (const Bytes nal : nals) {
    if (nal.size <= kMaxPayload) {
      Whole(nal, timestamp, packets);
    } else {
      Fragments(nal, timestamp, packets);
    }
  }
  if (!packets.empty()) packets.back().head[kInterleavedSize + 1] |= kMarker;
}

Packet& Packetiser::Begin(std::uint32_t timestamp, std::vector<Packet>& packets) {
  Packet& packet = packets.emplace_back();
  std::uint8_t* head = &packet.head[kInterleavedSize];
  head[0] = kVersion2;
  head[1] = kPayloadType;
  Store(head + 2, sequence_++, 2);
  Store(head + 4, timestamp, 4);
  Store(head + 8, ssrc_, 4);
  packet.head_size = kInterleavedSize + 12;
  return packet;
}

void Packetiser::Whole(Bytes nal, std::uint32_t timestamp, std::vector<Packet>& packets) {
  Finish(Begin(timestamp, packets), nal);
}

void Packetiser::Fragments(Bytes nal, std::uint32_t timestamp, std::vector<Packet>& packets) {
  const std::size_t header = NalHeaderSize(codec_);
  const std::size_t room = kMaxPayload - header - 1;
  for (std::size_t at = header; at < nal.size; at += room) {
    const std::size_t size = std::min(room, nal.size - at);
    Packet& packet = Begin(timestamp, packets);
    std::uint8_t flags = 0;
    if (at == header) flags |= kStart;
    if (at + size == nal.size) flags |= kEnd;
    std::uint8_t* head = &packet.head[packet.head_size];
    if (codec_ == Codec::kH264) {
      head[0] = static_cast<std::uint8_t>((nal.data[0] & 0xe0) | kFuA);
      head[1] = static_cast<std::uint8_t>(flags | (nal.data[0] & 0x1f));
    } else {
      head[0] = static_cast<std::uint8_t>((nal.data[0] & 0x81) | (kH265Fragment << 1));
      head[1] = nal.data[1];
      head[2] = static_cast<std::uint8_t>(flags | ((nal.data[0] >> 1) & 0x3f));
    }
    packet.head_size += header + 1;
    Finish(packet, {nal.data + at, size});
  }
}

}  // namespace sightline::camera
