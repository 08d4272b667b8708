#include "core/record/segment_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

namespace sightline {
namespace {

constexpr mode_t kMode = 0640;

int Create(const std::string& path) {
  return open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kMode);
}

// False with errno set. A disk that takes a part and then nothing says so at the next try.
template <class Put>
bool WriteAll(const char* data, std::size_t size, Put&& put) {
  while (size > 0) {
    const ssize_t done = put(data, size);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) {
      if (done == 0) errno = EIO;
      return false;
    }
    data += done;
    size -= static_cast<std::size_t>(done);
  }
  return true;
}

}  // namespace

SegmentFiles::SegmentFiles(std::string path, std::string notes_path, std::uint64_t notes_every_ns)
    : path_(std::move(path)), notes_path_(std::move(notes_path)), notes_every_ns_(notes_every_ns) {}

SegmentFiles::~SegmentFiles() {
  if (media_ >= 0) close(media_);
  if (notes_ >= 0) close(notes_);
}

bool SegmentFiles::Open(const NotesHeader& header) {
  const std::lock_guard lock(mutex_);
  notes_ = Create(notes_path_);
  if (notes_ < 0) return Fail();
  AppendHeader(header, &pending_);
  if (!WriteNotes()) return false;
  media_ = Create(path_ + ".part");
  return media_ >= 0 || Fail();
}

void SegmentFiles::AddNote(const FrameNote& note) {
  const std::lock_guard lock(mutex_);
  if (failure_ == 0) AppendNote(note, &pending_);
}

bool SegmentFiles::Write(const void* data, std::size_t size, std::uint64_t offset,
                         std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  if (failure_ != 0) return false;
  if (!pending_.empty() && now_ns - noted_at_ns_ >= notes_every_ns_) {
    noted_at_ns_ = now_ns;
    if (!WriteNotes()) return false;
  }
  auto at = static_cast<off_t>(offset);
  const bool done =
      WriteAll(static_cast<const char*>(data), size, [&](const char* from, std::size_t count) {
        const ssize_t written = pwrite(media_, from, count, at);
        at += std::max<ssize_t>(0, written);
        return written;
      });
  bytes_ = std::max(bytes_, static_cast<std::uint64_t>(at));
  return done || Fail();
}

bool SegmentFiles::Finish() {
  const std::lock_guard lock(mutex_);
  if (failure_ != 0 || !WriteNotes()) return false;
  if (fdatasync(notes_) != 0 || fdatasync(media_) != 0) return Fail();
  return std::rename((path_ + ".part").c_str(), path_.c_str()) == 0 || Fail();
}

std::uint64_t SegmentFiles::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

int SegmentFiles::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool SegmentFiles::Fail() {
  failure_ = errno == 0 ? EIO : errno;
  return false;
}

bool SegmentFiles::WriteNotes() {
  const bool done =
      WriteAll(pending_.data(), pending_.size(),
               [&](const char* from, std::size_t count) { return write(notes_, from, count); });
  pending_.clear();
  return done || Fail();
}

}  // namespace sightline
