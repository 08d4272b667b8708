#pragma once

#include <glib.h>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace sightline {

// No list of one batch is longer; one that seems to be goes in circles.
constexpr std::size_t kLongestList = 65536;

// Puts a list's items into `items`, replacing what was there. Counters beside lists are never
// believed: the list itself says how long it is. False when it was cut at the longest.
template <class T>
bool CollectList(const GList* list, std::vector<const T*>* items) {
  items->clear();
  for (const GList* at = list; at != nullptr; at = at->next) {
    if (items->size() == kLongestList) return false;
    if (at->data != nullptr) items->push_back(static_cast<const T*>(at->data));
  }
  return true;
}

// The same for a list whose last item was added first.
template <class T>
bool CollectReversedList(const GList* list, std::vector<const T*>* items) {
  const bool whole = CollectList(list, items);
  std::reverse(items->begin(), items->end());
  return whole;
}

}  // namespace sightline
