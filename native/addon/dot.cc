#include "addon/dot.h"

#include "addon/gst_ptr.h"

namespace sightline::addon {
namespace {

// A label holds properties as `name=value` between the two characters `\n`. The value was escaped
// twice, so an odd number of backslashes before an `n` or a quote ends it.
size_t EndOfValue(const std::string& dot, size_t at) {
  while (at < dot.size()) {
    size_t slashes = 0;
    while (at + slashes < dot.size() && dot[at + slashes] == '\\') slashes++;
    const size_t next = at + slashes;
    if (next >= dot.size()) return dot.size();
    if (dot[next] == '"' && slashes == 0) return at;
    if (dot[next] == 'n' && slashes == 1) return at;
    at = next + 1;
  }
  return at;
}

void RemoveValues(std::string* dot, const std::string& name) {
  const std::string start = "\\n" + name + "=";
  static const std::string kShown = "[redacted]";
  for (size_t at = dot->find(start); at != std::string::npos; at = dot->find(start, at)) {
    at += start.size();
    dot->replace(at, EndOfValue(*dot, at) - at, kShown);
    at += kShown.size();
  }
}

}  // namespace

std::string DumpDot(GstElement* pipeline, const std::set<std::string>& secret_names) {
  const Owned<gchar> text(gst_debug_bin_to_dot_data(GST_BIN(pipeline), GST_DEBUG_GRAPH_SHOW_ALL));
  std::string dot = text.get();
  for (const auto& name : secret_names) RemoveValues(&dot, name);
  return dot;
}

}  // namespace sightline::addon
