#pragma once

#include <map>
#include <string>
#include <vector>

namespace sightline {

// What an nvdsanalytics configuration file asks for. Points are whole numbers of the file's space,
// config-width x config-height.

struct RulePoint {
  int x = 0;
  int y = 0;
};

// What every rule has. Ids are labels of the file; no classes: all.
struct Rule {
  std::string id;
  std::vector<int> classes;
};

// [roi-filtering-stream-N]
struct ZoneRule : Rule {
  std::vector<RulePoint> polygon;
  bool inverse = false;
};

// [overcrowding-stream-N]
struct CrowdRule : Rule {
  std::vector<RulePoint> polygon;
  int object_threshold = 1;  // from this many objects on
};

enum class Strictness { kLoose, kBalanced, kStrict };

// [line-crossing-stream-N]
struct LineRule : Rule {
  RulePoint direction[2];  // from, to
  RulePoint line[2];
  bool extended = true;  // the line has no ends
  Strictness mode = Strictness::kLoose;
};

// [direction-detection-stream-N]
struct DirectionRule : Rule {
  RulePoint direction[2];
};

// The enabled rules of one stream, each kind sorted by id.
struct StreamRules {
  std::vector<ZoneRule> zones;
  std::vector<CrowdRule> crowds;
  std::vector<LineRule> lines;
  std::vector<DirectionRule> directions;
};

struct AnalyticsRules {
  bool enable = true;
  int width = 0;
  int height = 0;
  // Samples of an object that are kept (obj-cnt-win-in-ms: nvdsanalytics takes its number for that
  // too).
  int history = 50;
  std::map<int, StreamRules> streams;
};

// Reads and checks the file. Stricter than nvdsanalytics, which passes over groups and keys it does
// not know: there a slip is silent. Throws Error with file, line, group and key, and what to do.
AnalyticsRules LoadAnalyticsRules(const std::string& path);

}  // namespace sightline
