#include "core/config/key_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/error.h"

namespace sightline {
namespace {

constexpr size_t kMostBytes = 1 << 20;  // no configuration is larger; a video given by mistake is

std::string Trim(const std::string& text) {
  const char* const kSpace = " \t\r\n\f\v";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string::npos) return "";
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

[[noreturn]] void Fail(const std::string& path, int line, const std::string& message) {
  throw Error(ErrorKind::kSettings, path + ":" + std::to_string(line) + ": " + message);
}

KeyFileGroup ParseGroup(const KeyFile& file, const std::string& text, int line) {
  if (text.back() != ']' || text.size() < 3) {
    Fail(file.path, line, "'" + text + "' is not a group; write [name]");
  }
  KeyFileGroup group;
  group.name = text.substr(1, text.size() - 2);
  group.line = line;
  if (const KeyFileGroup* first = file.Find(group.name)) {
    Fail(file.path, line,
         "group [" + group.name + "] comes twice, first in line " + std::to_string(first->line) +
             "; join the two");
  }
  return group;
}

KeyFileEntry ParseEntry(const std::string& path, const KeyFileGroup& group, const std::string& text,
                        int line) {
  const size_t equals = text.find('=');
  KeyFileEntry entry;
  entry.key = Trim(text.substr(0, equals));
  entry.line = line;
  if (equals == std::string::npos || entry.key.empty()) {
    Fail(path, line, "'" + text + "' is neither a group, a key=value nor a # comment");
  }
  entry.value = Trim(text.substr(equals + 1));
  for (const KeyFileEntry& other : group.entries) {
    if (other.key != entry.key) continue;
    Fail(path, line,
         "[" + group.name + "] " + entry.key + " comes twice, first in line " +
             std::to_string(other.line) + "; remove one");
  }
  return entry;
}

}  // namespace

const KeyFileGroup* KeyFile::Find(const std::string& group) const {
  for (const KeyFileGroup& candidate : groups) {
    if (candidate.name == group) return &candidate;
  }
  return nullptr;
}

KeyFile ParseKeyFile(const std::string& path, const std::string& text) {
  KeyFile file;
  file.path = path;
  std::istringstream lines(text);
  std::string raw;
  for (int line = 1; std::getline(lines, raw); ++line) {
    const std::string text_line = Trim(raw);
    if (text_line.find('\0') != std::string::npos) {
      Fail(path, line, "there is a zero byte: this is not a text file");
    }
    if (text_line.empty() || text_line[0] == '#') continue;
    if (text_line[0] == '[') {
      file.groups.push_back(ParseGroup(file, text_line, line));
    } else if (file.groups.empty()) {
      Fail(path, line, "'" + text_line + "' stands before the first group; start with [property]");
    } else {
      KeyFileGroup& group = file.groups.back();
      group.entries.push_back(ParseEntry(path, group, text_line, line));
    }
  }
  return file;
}

KeyFile ReadKeyFile(const std::string& path, const std::string& property) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(kMostBytes + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    throw Error(ErrorKind::kNotFound, "Cannot read the configuration " + path + ": " +
                                          std::strerror(errno) + "; give the path of a file in " +
                                          property);
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  if (text.size() > kMostBytes) {
    throw Error(ErrorKind::kSettings,
                path + ": larger than 1 MiB: this is not a configuration file");
  }
  return ParseKeyFile(path, text);
}

std::vector<std::string> SplitList(const std::string& value) {
  std::vector<std::string> items;
  std::string item;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && i + 1 < value.size() && value[i + 1] == ';') {
      item += value[++i];
    } else if (value[i] == ';') {
      items.push_back(Trim(item));
      item.clear();
    } else {
      item += value[i];
    }
  }
  if (!Trim(item).empty()) items.push_back(Trim(item));
  return items;
}

std::string Unescape(const std::string& value) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '\\' || i + 1 == value.size()) {
      text += value[i];
      continue;
    }
    switch (value[++i]) {
      case 's':
        text += ' ';
        break;
      case 'n':
        text += '\n';
        break;
      case 't':
        text += '\t';
        break;
      case 'r':
        text += '\r';
        break;
      case '\\':
        text += '\\';
        break;
      default:
        text += '\\';
        text += value[i];
        break;
    }
  }
  return text;
}

}  // namespace sightline
