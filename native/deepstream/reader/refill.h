#pragma once

#include <cstddef>
#include <utility>
#include <vector>

namespace sightline {

// Fills a vector anew, frame after frame, without giving up what its items have allocated: items
// that a shorter frame does not need are kept for a longer one.
template <class T>
class Refill {
 public:
  void Begin(std::vector<T>* items) {
    items_ = items;
    used_ = 0;
  }
  // The next item, with whatever it held before.
  T& Next() {
    if (used_ == items_->size()) {
      if (spare_.empty()) {
        items_->emplace_back();
      } else {
        items_->push_back(std::move(spare_.back()));
        spare_.pop_back();
      }
    }
    return (*items_)[used_++];
  }
  // Gives the last item back.
  void TakeBack() { --used_; }
  std::size_t used() const { return used_; }
  void End() {
    while (items_->size() > used_) {
      spare_.push_back(std::move(items_->back()));
      items_->pop_back();
    }
  }

 private:
  std::vector<T>* items_ = nullptr;
  std::vector<T> spare_;
  std::size_t used_ = 0;
};

}  // namespace sightline
