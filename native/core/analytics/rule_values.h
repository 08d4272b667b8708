#pragma once

#include <string>
#include <vector>

#include "core/analytics/rules.h"
#include "core/config/typed_values.h"

namespace sightline {

// Values of an analytics file, beside those of typed_values.h; each calls Fail() where it is none.

std::vector<int> ReadClasses(const Place& place);  // empty for -1, which stands for every class
std::vector<RulePoint> ReadPoints(const Place& place);   // "x;y;x;y"
std::vector<RulePoint> ReadPolygon(const Place& place);  // at least 3 points
Strictness ReadMode(const Place& place);
// The part of the key after `prefix`, which names the rule.
std::string ReadLabel(const Place& place, const std::string& prefix);

}  // namespace sightline
