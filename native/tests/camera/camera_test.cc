#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "camera/faults.h"
#include "camera/ground_truth.h"
#include "camera/nal.h"
#include "camera/rtp.h"
#include "camera/rtsp.h"

namespace sightline::camera {
namespace {

std::vector<std::uint8_t> WithoutEmulation(const std::vector<std::uint8_t>& nal) {
  std::vector<std::uint8_t> out;
  int zeros = 0;
  for (const std::uint8_t byte : nal) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    out.push_back(byte);
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  return out;
}

TEST(GroundTruth, NeverLooksLikeAStartCode) {
  for (const Codec codec : {Codec::kH264, Codec::kH265}) {
    for (const std::uint64_t frame : {0ull, 1ull, 3ull, 256ull, 1ull << 40, ~0ull}) {
      std::vector<std::uint8_t> nal;
      WriteGroundTruth(codec, {1, 0, frame, 2, frame}, nal);
      for (std::size_t at = 0; at + 2 < nal.size(); ++at) {
        EXPECT_FALSE(nal[at] == 0 && nal[at + 1] == 0 && nal[at + 2] <= 2) << frame << " at " << at;
      }
      const auto plain = WithoutEmulation(nal);
      const std::size_t header = NalHeaderSize(codec);
      ASSERT_EQ(plain.size(), header + 2 + 48 + 1);
      EXPECT_EQ(plain[header], 5);
      EXPECT_EQ(plain[header + 1], 48);
      std::uint64_t read = 0;
      for (std::size_t at = 0; at < 8; ++at) read = read << 8 | plain[header + 2 + 24 + at];
      EXPECT_EQ(read, frame);
      EXPECT_EQ(plain.back(), 0x80);
      EXPECT_EQ(KindOf(codec, {nal.data(), nal.size()}), NalKind::kOther);
    }
  }
}

TEST(SplitNals, TakesStartCodesOfBothSizesAndNoTrailingZeros) {
  const std::vector<std::uint8_t> stream = {0, 0, 0,    1, 0x67, 9, 0,    0,
                                            0, 1, 0x68, 0, 0,    1, 0x65, 7};
  const auto nals = SplitNals({stream.data(), stream.size()});
  ASSERT_EQ(nals.size(), 3u);
  EXPECT_EQ(nals[0].size, 2u);
  EXPECT_EQ(nals[1].size, 1u);
  EXPECT_EQ(KindOf(Codec::kH264, nals[2]), NalKind::kKeyPicture);
  EXPECT_TRUE(SplitNals({stream.data(), 2}).empty());
}

// What a receiver puts together again (RFC 6184, 5.8; RFC 7798, 4.4.3) is the NAL unit.
TEST(Packetiser, FragmentsMakeTheNalUnitAgain) {
  for (const Codec codec : {Codec::kH264, Codec::kH265}) {
    std::vector<std::uint8_t> nal(5000);
    for (std::size_t at = 0; at < nal.size(); ++at) nal[at] = static_cast<std::uint8_t>(at * 7);
    nal[0] = codec == Codec::kH264 ? 0x65 : 19 << 1;
    nal[1] = codec == Codec::kH264 ? nal[1] : 1;
    Packetiser packetiser(codec, 7, 65'534);
    std::vector<Packet> packets;
    packetiser.Pack({{nal.data(), nal.size()}}, 90'000, packets);
    const std::size_t header = NalHeaderSize(codec);
    std::vector<std::uint8_t> again(nal.begin(), nal.begin() + static_cast<long>(header));
    for (std::size_t index = 0; index < packets.size(); ++index) {
      const Packet& packet = packets[index];
      const std::uint8_t flags = packet.head[packet.head_size - 1];
      EXPECT_EQ((flags & 0x80) != 0, index == 0);
      EXPECT_EQ((flags & 0x40) != 0, index + 1 == packets.size());
      EXPECT_EQ((packet.head[5] & 0x80) != 0, index + 1 == packets.size()) << "the marker";
      const int sequence = packet.head[6] << 8 | packet.head[7];
      EXPECT_EQ(sequence, static_cast<int>((65'534 + index) % 65'536));
      EXPECT_EQ(packet.head[2] << 8 | packet.head[3],
                static_cast<int>(packet.head_size - 4 + packet.payload.size));
      EXPECT_LE(packet.head_size - 4 + packet.payload.size, 1400u);
      again.insert(again.end(), packet.payload.data, packet.payload.data + packet.payload.size);
    }
    EXPECT_EQ(again, nal);
  }
}

TEST(ParseFault, ReadsEveryPart) {
  const Fault fault = ParseFault("packet-loss=2.5@10s+300#3-5");
  EXPECT_EQ(fault.kind, FaultKind::kPacketLoss);
  EXPECT_EQ(fault.value, 2.5);
  EXPECT_TRUE(fault.start.is_seconds);
  EXPECT_EQ(fault.length->Frames(1), 300u);
  const FaultSet third({fault}, 3, 50'000'000);
  EXPECT_EQ(third.Active(FaultKind::kPacketLoss, 199, 0), nullptr);
  EXPECT_NE(third.Active(FaultKind::kPacketLoss, 200, 0), nullptr);
  EXPECT_EQ(third.Active(FaultKind::kPacketLoss, 500, 0), nullptr);
  EXPECT_TRUE(FaultSet({fault}, 6, 50'000'000).empty());
  EXPECT_EQ(ParseFault("redirect=rtsp://a@b/c@9").url, "rtsp://a@b/c");
  EXPECT_THROW(ParseFault("packet-loss=nan"), std::runtime_error);
}

TEST(TakeFirst, TellsRequestsFromPacketsAndWaitsForTheRest) {
  std::string text = "OPTIONS rtsp://h/cam RTSP/1.0\r\nCSeq: 7\r\n";
  Request request;
  EXPECT_EQ(TakeFirst(text, request), Found::kNothing);
  text += "\r\n";
  text += std::string("$\x01\x00\x02xy", 6) + "PLAY";
  EXPECT_EQ(TakeFirst(text, request), Found::kRequest);
  EXPECT_EQ(request.method, "OPTIONS");
  EXPECT_EQ(request.Header("cseq"), "7");
  EXPECT_EQ(TakeFirst(text, request), Found::kPacket);
  EXPECT_EQ(TakeFirst(text, request), Found::kNothing);
  text.append(20'000, 'x');
  EXPECT_EQ(TakeFirst(text, request), Found::kNonsense);
}

TEST(ParseTransport, TakesTheFirstThatTheCameraHas) {
  const auto udp = ParseTransport("RTP/AVP;multicast, RTP/AVP;unicast;client_port=4000-4001");
  ASSERT_TRUE(udp);
  EXPECT_FALSE(udp->is_tcp);
  EXPECT_EQ(udp->second, 4001);
  EXPECT_TRUE(ParseTransport("RTP/AVP/TCP;unicast;interleaved=2-3")->is_tcp);
  EXPECT_FALSE(ParseTransport("RTP/AVP;unicast"));
  EXPECT_FALSE(ParseTransport("RTP/AVP;unicast;client_port=70000-70001"));
  EXPECT_FALSE(ParseTransport("RTP/SAVP;unicast;client_port=1-2"));
}

TEST(PathOf, LeavesOutHostQueryAndMedia) {
  EXPECT_EQ(PathOf("rtsp://host:8554/cam1/stream=0"), "/cam1");
  EXPECT_EQ(PathOf("rtsp://host/cam1/?a=b"), "/cam1");
  EXPECT_EQ(PathOf("rtsp://host"), "/");
}

}  // namespace
}  // namespace sightline::camera
