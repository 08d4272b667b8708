#include "core/analytics/rules.h"

#include <algorithm>
#include <limits>

#include "core/analytics/rule_values.h"
#include "core/config/typed_values.h"
#include "core/error.h"

namespace sightline {
namespace {

// A longer one is a slip: at 30 frames a second it is minutes, and every track has one.
constexpr int kLongestHistory = 10'000;
constexpr int kMost = std::numeric_limits<int>::max();

bool StartsWith(const std::string& text, const std::string& start) {
  return text.compare(0, start.size(), start) == 0;
}

[[noreturn]] void FailUnknown(const Place& place, const char* known) {
  place.Fail(std::string("unknown key; correct it or remove the line (known are ") + known + ")");
}

[[noreturn]] void FailGroup(const KeyFile& file, const KeyFileGroup& group,
                            const std::string& message) {
  throw Error(ErrorKind::kSettings,
              file.path + ":" + std::to_string(group.line) + ": [" + group.name + "]: " + message);
}

// What a group says of all its rules, and its rules. `read` takes a key of the kind, or gives
// false.
template <class RuleType, class Read>
void ReadRules(const KeyFile& file, const KeyFileGroup& group, const std::string& prefix,
               const char* known, std::vector<RuleType>* into, Read read) {
  bool enable = false;
  std::vector<int> classes;
  std::vector<RuleType> rules;
  for (const KeyFileEntry& entry : group.entries) {
    const Place place{file, group, entry};
    if (entry.key == "enable") {
      enable = ReadBool(place);
    } else if (entry.key == "class-id") {
      classes = ReadClasses(place);
    } else if (StartsWith(entry.key, prefix)) {
      rules.emplace_back();
      rules.back().id = ReadLabel(place, prefix);
      read(place, &rules.back());
    } else if (!read(place, nullptr)) {
      FailUnknown(place, known);
    }
  }
  if (rules.empty()) FailGroup(file, group, "there is no " + prefix + "<name>; add one");
  if (!enable) return;
  for (RuleType& rule : rules) {
    rule.classes = classes;
    into->push_back(std::move(rule));
  }
}

// Each reader is called with a rule for a key that names one, with none for any other key.

void ReadZones(const KeyFile& file, const KeyFileGroup& group, StreamRules* stream) {
  bool inverse = false;
  const auto read = [&](const Place& place, ZoneRule* rule) {
    if (rule != nullptr) {
      rule->polygon = ReadPolygon(place);
    } else if (place.entry.key == "inverse-roi") {
      inverse = ReadBool(place);
    } else {
      return false;
    }
    return true;
  };
  ReadRules(file, group, "roi-", "enable, class-id, inverse-roi, roi-<name>", &stream->zones, read);
  for (ZoneRule& rule : stream->zones) rule.inverse = inverse;
}

void ReadCrowds(const KeyFile& file, const KeyFileGroup& group, StreamRules* stream) {
  int threshold = 1;
  const auto read = [&](const Place& place, CrowdRule* rule) {
    if (rule != nullptr) {
      rule->polygon = ReadPolygon(place);
    } else if (place.entry.key == "object-threshold") {
      threshold = ReadCount(place);
    } else if (place.entry.key == "time-threshold") {
      ReadCount(place);  // nvdsanalytics 9.1 reads it and does not use it
    } else {
      return false;
    }
    return true;
  };
  ReadRules(file, group, "roi-", "enable, class-id, object-threshold, time-threshold, roi-<name>",
            &stream->crowds, read);
  for (CrowdRule& rule : stream->crowds) rule.object_threshold = threshold;
}

void ReadLines(const KeyFile& file, const KeyFileGroup& group, StreamRules* stream) {
  bool extended = true;
  Strictness mode = Strictness::kLoose;
  const auto read = [&](const Place& place, LineRule* rule) {
    if (rule != nullptr) {
      const std::vector<RulePoint> points = ReadPoints(place);
      if (points.size() != 4) {
        place.Fail("8 numbers are needed: x;y;x;y of the direction, then x;y;x;y of the line");
      }
      std::copy_n(points.begin(), 2, rule->direction);
      std::copy_n(points.begin() + 2, 2, rule->line);
    } else if (place.entry.key == "extended") {
      extended = ReadBool(place);
    } else if (place.entry.key == "mode") {
      mode = ReadMode(place);
    } else {
      return false;
    }
    return true;
  };
  ReadRules(file, group, "line-crossing-", "enable, class-id, extended, mode, line-crossing-<name>",
            &stream->lines, read);
  for (LineRule& rule : stream->lines) {
    rule.extended = extended;
    rule.mode = mode;
  }
}

void ReadDirections(const KeyFile& file, const KeyFileGroup& group, StreamRules* stream) {
  const auto read = [&](const Place& place, DirectionRule* rule) {
    if (rule != nullptr) {
      const std::vector<RulePoint> points = ReadPoints(place);
      if (points.size() != 2) place.Fail("4 numbers are needed: x;y;x;y, from and to");
      std::copy_n(points.begin(), 2, rule->direction);
    } else if (place.entry.key == "mode") {
      ReadMode(place);  // nvdsanalytics reads it and does not use it
    } else {
      return false;
    }
    return true;
  };
  ReadRules(file, group, "direction-", "enable, class-id, mode, direction-<name>",
            &stream->directions, read);
}

struct GroupKind {
  const char* prefix;
  void (*read)(const KeyFile&, const KeyFileGroup&, StreamRules*);
};

constexpr GroupKind kKinds[] = {{"roi-filtering-stream-", ReadZones},
                                {"overcrowding-stream-", ReadCrowds},
                                {"line-crossing-stream-", ReadLines},
                                {"direction-detection-stream-", ReadDirections}};

void ReadStreamGroup(const KeyFile& file, const KeyFileGroup& group, AnalyticsRules* rules) {
  for (const GroupKind& kind : kKinds) {
    if (!StartsWith(group.name, kind.prefix)) continue;
    long long stream = -1;
    const std::string number = group.name.substr(std::string(kind.prefix).size());
    if (!ParseInt(number, stream) || stream < 0 || stream > kMost) {
      FailGroup(file, group, "'" + number + "' is not the number of a stream, from 0");
    }
    kind.read(file, group, &rules->streams[static_cast<int>(stream)]);
    return;
  }
  FailGroup(file, group,
            "unknown group; there are [property], [roi-filtering-stream-N], "
            "[overcrowding-stream-N], [line-crossing-stream-N] and "
            "[direction-detection-stream-N]");
}

void ReadProperty(const KeyFile& file, const KeyFileGroup& group, AnalyticsRules* rules) {
  bool enable_given = false;
  for (const KeyFileEntry& entry : group.entries) {
    const Place place{file, group, entry};
    if (entry.key == "enable") {
      rules->enable = ReadBool(place);
      enable_given = true;
    } else if (entry.key == "config-width") {
      rules->width = ReadInt(place, 1, kMost);
    } else if (entry.key == "config-height") {
      rules->height = ReadInt(place, 1, kMost);
    } else if (entry.key == "obj-cnt-win-in-ms") {
      rules->history = ReadInt(place, 1, kLongestHistory);
    } else if (entry.key == "osd-mode") {
      ReadInt(place, 0, 2);  // how to draw: nothing is drawn on the CPU
    } else if (entry.key == "display-font-size") {
      ReadCount(place);
    } else if (entry.key == "display-obj-cnt") {
      ReadBool(place);
    } else {
      FailUnknown(place,
                  "enable, config-width, config-height, obj-cnt-win-in-ms, osd-mode, "
                  "display-font-size, display-obj-cnt");
    }
  }
  // nvdsanalytics does not start without them either.
  if (!enable_given) FailGroup(file, group, "enable is missing; write enable=1");
  if (rules->width == 0) FailGroup(file, group, "config-width is missing; write the points' space");
  if (rules->height == 0) {
    FailGroup(file, group, "config-height is missing; write the points' space");
  }
}

template <class RuleType>
void SortById(std::vector<RuleType>* rules) {
  std::sort(rules->begin(), rules->end(),
            [](const RuleType& a, const RuleType& b) { return a.id < b.id; });
}

}  // namespace

AnalyticsRules LoadAnalyticsRules(const std::string& path) {
  const KeyFile file = ReadKeyFile(path, "config-file");
  const KeyFileGroup* property = file.Find("property");
  if (property == nullptr) {
    throw Error(ErrorKind::kSettings,
                path +
                    ": there is no [property] group: this is not a configuration of "
                    "nvdsanalytics in its INI form");
  }
  AnalyticsRules rules;
  ReadProperty(file, *property, &rules);
  for (const KeyFileGroup& group : file.groups) {
    if (&group != property) ReadStreamGroup(file, group, &rules);
  }
  for (auto& [index, stream] : rules.streams) {
    SortById(&stream.zones);
    SortById(&stream.crowds);
    SortById(&stream.lines);
    SortById(&stream.directions);
  }
  return rules;
}

}  // namespace sightline
