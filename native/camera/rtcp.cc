#include "camera/rtcp.h"

namespace sightline::camera {
namespace {

constexpr std::uint64_t kNtpFrom1970 = 2'208'988'800;
constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
constexpr char kName[] = "sightline-camera";

void Append(std::string& out, std::uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(value >> shift));
  }
}

}  // namespace

std::string WriteReport(const SenderReport& report) {
  std::string out;
  Append(out, 0x80c8, 2);
  Append(out, 6, 2);
  Append(out, report.ssrc, 4);
  Append(out, report.wall_ns / kNsPerSecond + kNtpFrom1970, 4);
  Append(out, ((report.wall_ns % kNsPerSecond) << 32) / kNsPerSecond, 4);
  Append(out, report.rtp_time, 4);
  Append(out, report.packets, 4);
  Append(out, report.bytes, 4);
  // One chunk: SSRC, CNAME, and zeros up to the next word, of which there is at
  // least one.
  std::string chunk;
  Append(chunk, report.ssrc, 4);
  Append(chunk, 1, 1);
  Append(chunk, sizeof(kName) - 1, 1);
  chunk += kName;
  chunk.append(4 - chunk.size() % 4, '\0');
  Append(out, 0x81ca, 2);
  Append(out, chunk.size() / 4, 2);
  return out + chunk;
}

}  // namespace sightline::camera
