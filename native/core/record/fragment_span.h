#pragma once

#include <algorithm>
#include <cstdint>

namespace sightline {

// The time that pictures of one fragment span. They may come in another order than they are shown.
class FragmentSpan {
 public:
  // A fragment ends after `length_ns`, and before a key frame that comes after `key_ns`.
  FragmentSpan(std::uint64_t length_ns, std::uint64_t key_ns)
      : length_ns_(length_ns), key_ns_(key_ns) {}

  // Whether a new fragment begins with this picture. Never where it is shown before another one of
  // the fragment, and so never while time stands still.
  bool EndsBefore(std::uint64_t pts_ns, bool key_frame) const {
    if (empty_ || pts_ns <= last_ns_) return false;
    const std::uint64_t spans_ns = pts_ns - first_ns_;
    return spans_ns >= length_ns_ || (key_frame && spans_ns >= key_ns_);
  }
  void Add(std::uint64_t pts_ns) {
    first_ns_ = empty_ ? pts_ns : std::min(first_ns_, pts_ns);
    last_ns_ = empty_ ? pts_ns : std::max(last_ns_, pts_ns);
    empty_ = false;
  }
  void Clear() { empty_ = true; }

 private:
  std::uint64_t length_ns_;
  std::uint64_t key_ns_;
  bool empty_ = true;
  std::uint64_t first_ns_ = 0;
  std::uint64_t last_ns_ = 0;
};

}  // namespace sightline
