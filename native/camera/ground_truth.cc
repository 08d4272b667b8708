#include "camera/ground_truth.h"

namespace sightline::camera {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::uint8_t kUserDataUnregistered = 5;
constexpr std::uint8_t kPayloadSize = 16 + 1 + 1 + 2 + 4 + 8 + 8 + 8;
constexpr std::uint8_t kTrailingBits = 0x80;

/** Puts an emulation prevention byte before any of 0 to 3 that follows two
 * zeros (7.4.1). */
class Writer {
 public:
  explicit Writer(std::vector<std::uint8_t>& out) : out_(out) {}

  void Byte(std::uint8_t byte) {
    if (zeros_ >= 2 && byte <= 3) {
      out_.push_back(3);
      zeros_ = 0;
    }
    out_.push_back(byte);
    zeros_ = byte == 0 ? zeros_ + 1 : 0;
  }

  void BigEndian(std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
      Byte(static_cast<std::uint8_t>(value >> shift));
    }
  }

 private:
  std::vector<std::uint8_t>& out_;
  int zeros_ = 0;
};

}  // namespace

void WriteGroundTruth(Codec codec, const GroundTruth& truth, std::vector<std::uint8_t>& nal) {
  nal.clear();
  if (codec == Codec::kH264) {
    nal.push_back(0x06);
  } else {
    nal.push_back(39 << 1);
    nal.push_back(0x01);
  }
  Writer writer(nal);
  writer.Byte(kUserDataUnregistered);
  writer.Byte(kPayloadSize);
  for (const std::uint8_t byte : kGroundTruthUuid) writer.Byte(byte);
  writer.Byte(kVersion);
  writer.Byte(0);
  writer.BigEndian(truth.stream, 2);
  writer.BigEndian(truth.loop, 4);
  writer.BigEndian(truth.frame, 8);
  writer.BigEndian(truth.wall_ns, 8);
  writer.BigEndian(truth.monotonic_ns, 8);
  writer.Byte(kTrailingBits);
}

}  // namespace sightline::camera
