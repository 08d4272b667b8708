#pragma once

#include <cstdint>
#include <string_view>

// The last lines of what happened in this process, in a file that is mapped into its memory: they
// can be read after the process was killed, whatever killed it. A ring of slots of equal size, each
// written by one thread at a time without a lock; the reader (src/common/black-box.ts) skips what
// was being written when the process ended.
namespace sightline::addon {

enum class BlackBoxKind : uint8_t { kLog = 1, kBus = 2, kMilestone = 3 };

// Maps the file, which gets its full size of 256 KiB and loses what is in it. False, and errno,
// when it cannot be. Only the first call counts. The descriptor may be closed afterwards.
bool OpenBlackBox(int fd);

// Adds a line from any thread; does nothing before OpenBlackBox(). `level` is GStreamer's, 0 where
// there is none. Credentials in URLs are left out. A long line is cut at a blank, so that no
// reader has to find the half of a secret.
void NoteInBlackBox(BlackBoxKind kind, uint8_t level, std::string_view text) noexcept;

}  // namespace sightline::addon
