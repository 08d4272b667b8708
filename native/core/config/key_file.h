#pragma once

#include <string>
#include <vector>

namespace sightline {

// One "key=value" line. The value is as written, without the white space around it.
struct KeyFileEntry {
  std::string key;
  std::string value;
  int line = 0;
};

struct KeyFileGroup {
  std::string name;
  int line = 0;
  std::vector<KeyFileEntry> entries;
};

// A file of groups and keys as GLib's key files have them: "[group]", "key=value", comment lines
// that start with '#'. Stricter than GLib where a slip would be silent: a group or key that comes
// twice, and a line that is none of these, are errors.
struct KeyFile {
  std::string path;
  std::vector<KeyFileGroup> groups;

  const KeyFileGroup* Find(const std::string& group) const;
};

// Throws Error: kNotFound when the file cannot be read, kSettings with file and line otherwise.
// `property` is where the user gave the path.
KeyFile ReadKeyFile(const std::string& path, const std::string& property = "config-file-path");
KeyFile ParseKeyFile(const std::string& path, const std::string& text);

// The items of a list separated by ';' (a last one may be empty), trimmed; "\;" stands for ';'.
std::vector<std::string> SplitList(const std::string& value);
// The text of a string value: \s \n \t \r \\ stand for space, line feed, tab, return, backslash.
std::string Unescape(const std::string& value);

}  // namespace sightline
