#pragma once

#include <gst/gst.h>

#include <atomic>
#include <string>

// One reason for which an element leaves out frames, and how many it has left out for it.
struct SlSkipReason {
  const char* name;
  std::atomic<guint64> frames{0};
};

// The value of every element's property `skipped-by-reason`: {"<reason>":<frames>,...}.
template <class... Reasons>
std::string SlSkippedByReason(const Reasons&... reasons) {
  std::string text;
  const auto add = [&text](const SlSkipReason& reason) {
    text += text.empty() ? "{\"" : ",\"";
    text += reason.name;
    text += "\":" + std::to_string(reason.frames.load());
  };
  (add(reasons), ...);
  return text + "}";
}

inline GParamSpec* SlSkippedByReasonSpec() {
  return g_param_spec_string(
      "skipped-by-reason", "Skipped by reason",
      "Frames the element has left out since it started, by reason, as a JSON object", "{}",
      static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}
