#include "core/analytics/rule_values.h"

#include <algorithm>
#include <limits>

namespace sightline {

static std::vector<int> ReadIntegers(const Place& place, long long least) {
  std::vector<int> numbers;
  for (const std::string& item : ReadTexts(place)) {
    long long number = 0;
    if (!ParseInt(item, number) || number < least || number > std::numeric_limits<int>::max()) {
      place.Fail("'" + item + "' is not a whole number from " + std::to_string(least));
    }
    numbers.push_back(static_cast<int>(number));
  }
  return numbers;
}

std::vector<int> ReadClasses(const Place& place) {
  std::vector<int> classes = ReadIntegers(place, -1);
  if (std::find(classes.begin(), classes.end(), -1) != classes.end()) classes.clear();
  return classes;
}

std::vector<RulePoint> ReadPoints(const Place& place) {
  const std::vector<int> numbers = ReadIntegers(place, 0);
  if (numbers.size() % 2 != 0) place.Fail("a y is missing; points are written x;y;x;y");
  std::vector<RulePoint> points;
  for (size_t i = 0; i < numbers.size(); i += 2) points.push_back({numbers[i], numbers[i + 1]});
  return points;
}

std::vector<RulePoint> ReadPolygon(const Place& place) {
  std::vector<RulePoint> points = ReadPoints(place);
  if (points.size() < 3) place.Fail("a polygon has at least 3 points, x;y;x;y;x;y");
  return points;
}

Strictness ReadMode(const Place& place) {
  const std::string& value = place.entry.value;
  if (value == "loose") return Strictness::kLoose;
  if (value == "balanced") return Strictness::kBalanced;
  if (value == "strict") return Strictness::kStrict;
  place.Fail("loose, balanced or strict is needed");
}

std::string ReadLabel(const Place& place, const std::string& prefix) {
  std::string label = place.entry.key.substr(prefix.size());
  if (label.empty()) place.Fail("a name is missing after " + prefix);
  return label;
}

}  // namespace sightline
