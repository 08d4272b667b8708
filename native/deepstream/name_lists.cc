#include "deepstream/name_lists.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/error.h"

namespace {

struct Entry {
  std::uint32_t number = 0;
  std::string first;
  std::string second;
};

[[noreturn]] void Refuse(const char* property, std::string_view entry, const std::string& reason) {
  throw sightline::Error(sightline::ErrorKind::kSettings, std::string(property) + ": entry \"" +
                                                              std::string(entry) + "\" " + reason);
}

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string Decode(const char* property, std::string_view entry, std::string_view part) {
  std::string text;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (part[i] != '%') {
      text += part[i];
      continue;
    }
    const int high = i + 2 < part.size() ? HexDigit(part[i + 1]) : -1;
    const int low = i + 2 < part.size() ? HexDigit(part[i + 2]) : -1;
    if (high < 0 || low < 0) Refuse(property, entry, "has a % without two hexadecimal digits");
    text += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return text;
}

Entry ParseEntry(const char* property, std::string_view entry) {
  Entry parsed;
  const std::size_t equals = entry.find('=');
  const char* const end = entry.data() + std::min(equals, entry.size());
  const auto [stop, error] = std::from_chars(entry.data(), end, parsed.number);
  if (equals == std::string_view::npos || error != std::errc() || stop != end) {
    Refuse(property, entry, "must be number=name");
  }
  const std::string_view value = entry.substr(equals + 1);
  const std::size_t slash = value.find('/');
  parsed.first = Decode(property, entry, value.substr(0, slash));
  if (slash != std::string_view::npos) {
    parsed.second = Decode(property, entry, value.substr(slash + 1));
  }
  if (parsed.first.empty()) Refuse(property, entry, "has no name");
  return parsed;
}

std::vector<Entry> ParseEntries(const char* property, const std::string& text) {
  std::vector<Entry> entries;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find(';');
    const std::string_view item = rest.substr(0, end);
    if (!item.empty()) {
      Entry entry = ParseEntry(property, item);
      const auto same = [&](const Entry& other) { return other.number == entry.number; };
      if (std::any_of(entries.begin(), entries.end(), same)) {
        Refuse(property, item, "uses a number that another entry has");
      }
      entries.push_back(std::move(entry));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  return entries;
}

}  // namespace

std::vector<StreamName> ParseStreamNames(const std::string& text) {
  std::vector<StreamName> names;
  for (Entry& entry : ParseEntries("streams", text)) {
    if (entry.second.empty()) entry.second = entry.first;
    names.push_back({entry.number, std::move(entry.first), std::move(entry.second)});
  }
  return names;
}

std::vector<ModelName> ParseModelNames(const std::string& text) {
  std::vector<ModelName> names;
  for (Entry& entry : ParseEntries("models", text)) {
    names.push_back({entry.number, std::move(entry.first), std::move(entry.second)});
  }
  return names;
}
