#include "addon/black_box.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <ctime>
#include <mutex>
#include <string>

namespace sightline::addon {
namespace {

constexpr size_t kFileBytes = 256 * 1024;
constexpr size_t kSlotBytes = 512;
constexpr size_t kSlots = kFileBytes / kSlotBytes - 1;  // the first one's place is the header's
constexpr size_t kTextBytes = kSlotBytes - 24;

struct Header {
  char magic[8];
  uint32_t slot_bytes;
  uint32_t slots;
  std::atomic<uint64_t> next;  // number of the next line, from 0
  char unused[kSlotBytes - 24];
};
static_assert(sizeof(Header) == kSlotBytes);

struct Slot {
  std::atomic<uint64_t> number;  // of its line, from 1; 0 while it is being written
  uint64_t monotonic_ns;
  uint32_t checksum;
  uint16_t length;
  BlackBoxKind kind;
  uint8_t level;
  char text[kTextBytes];
};
static_assert(sizeof(Slot) == kSlotBytes);

struct File {
  Header header;
  Slot slots[kSlots];
};
static_assert(sizeof(File) == kFileBytes);

std::atomic<File*> g_file{nullptr};

// FNV-1a, 32 bits.
uint32_t Checksum(const char* text, size_t length) {
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < length; i++) sum = (sum ^ static_cast<uint8_t>(text[i])) * 16777619u;
  return sum;
}

uint64_t MonotonicNs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

constexpr std::string_view kScheme = "://";
constexpr std::string_view kHidden = "[redacted]";

// Appends at most `kTextBytes` of `from`, without the credentials of URLs.
size_t CopyWithoutCredentials(std::string_view from, char* to) {
  size_t length = 0;
  const auto append = [&](std::string_view part) {
    const size_t fits = std::min(part.size(), kTextBytes - length);
    std::memcpy(to + length, part.data(), fits);
    length += fits;
    return fits == part.size();
  };
  while (!from.empty() && length < kTextBytes) {
    const size_t scheme = from.find(kScheme);
    if (scheme == std::string_view::npos) break;
    const size_t start = scheme + kScheme.size();
    const size_t end = from.find_first_of(" \t\r\n/'\"<>", start);
    const std::string_view authority = from.substr(start, end - start);
    const size_t at = authority.rfind('@');
    if (!append(from.substr(0, start))) return length;
    if (at != std::string_view::npos && !append(kHidden)) return length;
    from.remove_prefix(start + (at == std::string_view::npos ? 0 : at));
  }
  append(from);
  return length;
}

size_t CutAtBlank(const char* text, size_t length) {
  const size_t blank = std::string_view(text, length).rfind(' ');
  return blank == std::string_view::npos ? 0 : blank;
}

}  // namespace

bool OpenBlackBox(int fd) {
  static std::once_flag once;
  static bool open = false;
  std::call_once(once, [fd] {
    if (ftruncate(fd, 0) != 0 || ftruncate(fd, kFileBytes) != 0) return;
    void* memory = mmap(nullptr, kFileBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) return;
    auto* file = static_cast<File*>(memory);
    std::memcpy(file->header.magic, "SLBB0001", sizeof(file->header.magic));
    file->header.slot_bytes = kSlotBytes;
    file->header.slots = kSlots;
    g_file = file;  // never unmapped: threads can log until the process is gone
    open = true;
  });
  return open;
}

void NoteInBlackBox(BlackBoxKind kind, uint8_t level, std::string_view text) noexcept {
  File* file = g_file.load(std::memory_order_acquire);
  if (file == nullptr) return;
  const uint64_t number = file->header.next.fetch_add(1, std::memory_order_relaxed);
  Slot& slot = file->slots[number % kSlots];
  slot.number.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  slot.monotonic_ns = MonotonicNs();
  slot.kind = kind;
  slot.level = level;
  size_t length = CopyWithoutCredentials(text, slot.text);
  if (length == kTextBytes) length = CutAtBlank(slot.text, length);
  slot.length = static_cast<uint16_t>(length);
  slot.checksum = Checksum(slot.text, length);
  slot.number.store(number + 1, std::memory_order_release);
}

}  // namespace sightline::addon
