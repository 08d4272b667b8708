#include "core/record/mp4_header.h"

#include "core/record/box_writer.h"

namespace sightline {
namespace {

constexpr std::uint32_t kTrackId = 1;
constexpr std::uint32_t kOne = 0x1'0000;  // 16.16
constexpr std::uint32_t kMovieTimescale = 1000;
constexpr std::uint64_t kSecondsFrom1904To1970 = 2'082'844'800;
constexpr std::uint16_t kUndetermined = 0x55c4;  // the language "und", 8.4.2.3
constexpr std::size_t kDurationBytes = 20;

void PutMatrix(BoxWriter* to) {
  for (const std::uint32_t value : {kOne, 0U, 0U, 0U, kOne, 0U, 0U, 0U, 0x4000'0000U}) {
    to->U32(value);
  }
}

void PutTimes(BoxWriter* to, const Mp4Track& track) {
  const std::uint64_t made = track.made_unix_s + kSecondsFrom1904To1970;
  to->Put(made);
  to->Put(made);
}

void PutMovieHeader(BoxWriter* to, const Mp4Track& track) {
  to->FullBox("mvhd", 1, 0, [&] {
    PutTimes(to, track);
    to->U32(kMovieTimescale);
    to->Put(std::uint64_t{0});  // the fragments have a length, the movie has none
    to->U32(kOne);              // rate
    to->Put(std::uint16_t{0x0100});
    to->Zeros(10);
    PutMatrix(to);
    to->Zeros(24);
    to->U32(kTrackId + 1);
  });
}

void PutTrackHeader(BoxWriter* to, const Mp4Track& track) {
  // Enabled, in the movie, in its preview.
  to->FullBox("tkhd", 1, 7, [&] {
    PutTimes(to, track);
    to->U32(kTrackId);
    to->Zeros(4 + 8 + 8 + 2 + 2 + 2 + 2);
    PutMatrix(to);
    // Shown in square pixels.
    const std::uint64_t shown = std::uint64_t{track.width} * kOne * track.pixel_width;
    to->U32(static_cast<std::uint32_t>(shown / track.pixel_height));
    to->U32(track.height * kOne);
  });
}

// 12.1.3, and ISO/IEC 14496-15, 5.4.2 and 8.4.1.
void PutSampleEntry(BoxWriter* to, const Mp4Track& track) {
  to->Box(track.h265 ? "hvc1" : "avc1", [&] {
    to->Zeros(6);
    to->Put(std::uint16_t{1});  // which data reference
    to->Zeros(16);
    to->Put(track.width);
    to->Put(track.height);
    to->U32(72 * kOne);  // dots an inch
    to->U32(72 * kOne);
    to->Zeros(4);
    to->Put(std::uint16_t{1});  // frames a sample
    to->Zeros(32);              // name of the compressor
    to->Put(std::uint16_t{24});
    to->Put(std::uint16_t{0xffff});
    to->Box(track.h265 ? "hvcC" : "avcC", [&] { to->Append(track.configuration); });
    if (track.pixel_width == track.pixel_height) return;
    to->Box("pasp", [&] {
      to->U32(track.pixel_width);
      to->U32(track.pixel_height);
    });
  });
}

// Empty: samples are in fragments.
void PutSampleTables(BoxWriter* to, const Mp4Track& track) {
  to->Box("stbl", [&] {
    to->FullBox("stsd", 0, 0, [&] {
      to->U32(1);
      PutSampleEntry(to, track);
    });
    for (const char* type : {"stts", "stsc", "stco"}) {
      to->FullBox(type, 0, 0, [&] { to->U32(0); });
    }
    to->FullBox("stsz", 0, 0, [&] { to->Zeros(8); });
  });
}

void PutMedia(BoxWriter* to, const Mp4Track& track) {
  to->Box("mdia", [&] {
    to->FullBox("mdhd", 1, 0, [&] {
      PutTimes(to, track);
      to->U32(kMp4Timescale);
      to->Put(std::uint64_t{0});
      to->Put(kUndetermined);
      to->Zeros(2);
    });
    to->FullBox("hdlr", 0, 0, [&] {
      to->U32(0);
      to->Append("vide");
      to->Zeros(12 + 1);
    });
    to->Box("minf", [&] {
      to->FullBox("vmhd", 0, 1, [&] { to->Zeros(8); });
      to->Box("dinf", [&] {
        to->FullBox("dref", 0, 0, [&] {
          to->U32(1);
          to->FullBox("url ", 0, 1, [] {});  // in this file
        });
      });
      PutSampleTables(to, track);
    });
  });
}

}  // namespace

Mp4Header MakeMp4Header(const Mp4Track& track) {
  BoxWriter to;
  Mp4Header header;
  to.Box("ftyp", [&] {
    to.Append("iso6");
    to.U32(0);
    to.Append("iso6mp41");
  });
  to.Box("moov", [&] {
    PutMovieHeader(&to, track);
    to.Box("trak", [&] {
      PutTrackHeader(&to, track);
      PutMedia(&to, track);
    });
    to.Box("mvex", [&] {
      header.duration_at = to.size();
      to.Box("free", [&] { to.Zeros(kDurationBytes - 8); });
      to.FullBox("trex", 0, 0, [&] {
        to.U32(kTrackId);
        to.U32(1);  // which sample entry
        to.Zeros(12);
      });
    });
  });
  header.bytes = to.Take();
  return header;
}

std::string Mp4Duration(std::uint64_t units) {
  BoxWriter to;
  to.FullBox("mehd", 1, 0, [&] { to.Put(units * kMovieTimescale / kMp4Timescale); });
  return to.Take();
}

}  // namespace sightline
