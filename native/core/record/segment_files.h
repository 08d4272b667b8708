#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "core/record/notes.h"

namespace sightline {

// The two files of one segment: the media under "<path>.part", and its notes. The muxer's thread
// writes media, the stream's thread adds notes; notes of a fragment are on their way to the disk
// before its media, so that whoever dies between the two leaves too many notes and not too few.
// Nothing is kept in the process but notes that wait for the next write of media.
//
// The first failure is kept (errno), and everything after it is left undone.
class SegmentFiles {
 public:
  // Notes wait no longer than `notes_every_ns` for media that is written piece by piece; 0: they go
  // with every piece.
  SegmentFiles(std::string path, std::string notes_path, std::uint64_t notes_every_ns);
  ~SegmentFiles();
  SegmentFiles(const SegmentFiles&) = delete;
  SegmentFiles& operator=(const SegmentFiles&) = delete;

  // Makes both files. False: see failure().
  bool Open(const NotesHeader& header);
  void AddNote(const FrameNote& note);
  // `now_ns` is monotonic.
  bool Write(const void* data, std::size_t size, std::uint64_t offset, std::uint64_t now_ns);
  // Brings both to the disk, and gives the media its final name.
  bool Finish();

  const std::string& path() const { return path_; }
  const std::string& notes_path() const { return notes_path_; }
  // Size of the media.
  std::uint64_t bytes() const;
  // errno of the first failure; 0 without one.
  int failure() const;

 private:
  bool Fail();
  bool WriteNotes();

  const std::string path_;
  const std::string notes_path_;
  const std::uint64_t notes_every_ns_;
  mutable std::mutex mutex_;
  int media_ = -1;
  int notes_ = -1;
  std::string pending_;
  std::uint64_t noted_at_ns_ = 0;
  std::uint64_t bytes_ = 0;
  int failure_ = 0;
};

}  // namespace sightline
