#include "core/config/typed_values.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/error.h"

namespace sightline {

void Place::Fail(const std::string& message) const {
  throw Error(ErrorKind::kSettings, file.path + ":" + std::to_string(entry.line) + ": [" +
                                        group.name + "] " + entry.key + "=" + entry.value + ": " +
                                        message);
}

// from_chars, because strtod reads "0.5" by the process' locale.
template <class Number>
static bool ParseWhole(const std::string& text, Number& out) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end && !text.empty();
}

bool ParseInt(const std::string& text, long long& out) { return ParseWhole(text, out); }

bool ParseFloat(const std::string& text, double& out) {
  return ParseWhole(text, out) && std::isfinite(out);
}

int ReadInt(const Place& place, int least, int most) {
  long long value = 0;
  if (!ParseInt(place.entry.value, value)) place.Fail("a whole number is needed");
  if (value < least || value > most) {
    place.Fail("a number from " + std::to_string(least) + " to " + std::to_string(most) +
               " is needed");
  }
  return static_cast<int>(value);
}

int ReadCount(const Place& place) { return ReadInt(place, 0, std::numeric_limits<int>::max()); }

void ReadOnly(const Place& place, int only, const char* why) {
  if (ReadInt(place, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()) != only) {
    place.Fail(std::string(why) + "; write " + place.entry.key + "=" + std::to_string(only) +
               " or remove the line");
  }
}

bool ReadBool(const Place& place) {
  const std::string& value = place.entry.value;
  if (value == "1" || value == "true") return true;
  if (value == "0" || value == "false") return false;
  place.Fail("0 or 1 is needed");
}

double ReadFloat(const Place& place) {
  double value = 0;
  if (!ParseFloat(place.entry.value, value)) place.Fail("a number is needed");
  return value;
}

float ReadFraction(const Place& place) {
  const double value = ReadFloat(place);
  if (value < 0 || value > 1) place.Fail("a number from 0 to 1 is needed");
  return static_cast<float>(value);
}

std::string ReadText(const Place& place) {
  if (place.entry.value.empty()) place.Fail("a value is needed");
  return Unescape(place.entry.value);
}

std::string ReadPath(const Place& place) {
  const std::string value = ReadText(place);
  const size_t slash = place.file.path.rfind('/');
  if (value[0] == '/' || slash == std::string::npos) return value;
  return place.file.path.substr(0, slash + 1) + value;
}

std::vector<std::string> ReadTexts(const Place& place) {
  std::vector<std::string> items = SplitList(place.entry.value);
  if (items.empty()) place.Fail("a list with ; between its items is needed");
  for (std::string& item : items) {
    if (item.empty()) place.Fail("an item of the list is empty");
    item = Unescape(item);
  }
  return items;
}

std::vector<double> ReadFloats(const Place& place) {
  std::vector<double> numbers;
  for (const std::string& item : ReadTexts(place)) {
    double number = 0;
    if (!ParseFloat(item, number)) place.Fail("'" + item + "' is not a number");
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace sightline
