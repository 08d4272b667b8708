#pragma once

#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/encode/frame_message.h"
#include "tests/support/json_value.h"

// The recorded scenarios of native/tests/fixtures/analytics/scenarios.json, in which what is
// expected can be replayed on any implementation: an INI file, objects on each frame, and a log of
// what changes.
namespace sightline::test {

struct ScenarioObject {
  std::uint64_t id = 0;
  int class_id = 0;
  Box box;  // whole pixels
};

struct ScenarioFrame {
  std::uint64_t pts_ns = 0;
  std::vector<ScenarioObject> objects;
};

struct Scenario {
  std::string name;
  std::string config;
  int width = 0;
  int height = 0;
  std::vector<ScenarioFrame> frames;
  std::vector<std::string> log;
};

// A track: {"id", "class", "size": [width, height], "path": [[frame, x, y], ...]}. x, y is the
// middle of the lower edge; between two entries it moves evenly, cut to whole pixels. Before the
// first and after the last entry the object is not there. Sizes are even.
inline void AddTrack(const JsonValue& track, std::vector<ScenarioFrame>* frames) {
  const auto& path = track["path"].items;
  const int width = track["size"].items[0].Int(), height = track["size"].items[1].Int();
  for (std::size_t i = 0; i < path.size(); ++i) {
    const auto at = [&](std::size_t entry, int value) { return path[entry].items[value].Int(); };
    const int from = at(i, 0), to = i + 1 < path.size() ? at(i + 1, 0) : from + 1;
    for (int frame = from; frame < to; ++frame) {
      const auto place = [&](int value) {
        if (i + 1 == path.size()) return at(i, value);
        return at(i, value) + (at(i + 1, value) - at(i, value)) * (frame - from) / (to - from);
      };
      const Box box = {static_cast<float>(place(1) - width / 2),
                       static_cast<float>(place(2) - height), static_cast<float>(width),
                       static_cast<float>(height)};
      frames->at(static_cast<std::size_t>(frame))
          .objects.push_back({static_cast<std::uint64_t>(track["id"].Int()),
                              track.Has("class") ? track["class"].Int() : 0, box});
    }
  }
}

// Frames are 40 ms apart; "pauses": [[frame, ms], ...] come before their frame.
inline Scenario ReadScenario(const JsonValue& json) {
  Scenario scenario;
  scenario.name = json["name"].text;
  for (const JsonValue& line : json["config"].items) scenario.config += line.text + "\n";
  scenario.width = json["size"].items[0].Int();
  scenario.height = json["size"].items[1].Int();
  scenario.frames.resize(static_cast<std::size_t>(json["frames"].Int()));
  std::map<std::size_t, std::uint64_t> pauses;
  if (json.Has("pauses")) {
    for (const JsonValue& pause : json["pauses"].items) {
      pauses[static_cast<std::size_t>(pause.items[0].Int())] =
          static_cast<std::uint64_t>(pause.items[1].number);
    }
  }
  std::uint64_t ms = 0;
  for (std::size_t i = 0; i < scenario.frames.size(); ++i) {
    ms += (i == 0 ? 0 : 40) + pauses[i];
    scenario.frames[i].pts_ns = ms * 1'000'000;
  }
  for (const JsonValue& track : json["tracks"].items) AddTrack(track, &scenario.frames);
  for (const JsonValue& line : json["log"].items) scenario.log.push_back(line.text);
  return scenario;
}

inline std::vector<Scenario> ReadScenarios() {
  const char* source = std::getenv("SIGHTLINE_SOURCE_DIR");
  const std::string path = std::string(source != nullptr ? source : ".") +
                           "/native/tests/fixtures/analytics/scenarios.json";
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  const JsonValue document = JsonValue::Parse(text.str());
  std::vector<Scenario> scenarios;
  for (const JsonValue& json : document["scenarios"].items) {
    scenarios.push_back(ReadScenario(json));
  }
  return scenarios;
}

// Writes what changes from frame to frame, a line each:
//   <frame> zone <id> <objects>[ overcrowded]
//   <frame> line <id> <crossings on the frame> <in total>
//   <frame> object <id> crosses <line>
//   <frame> object <id> in <zones>, is crowded in <zones>, goes <direction>, has stopped (- if
//   none)
class ScenarioLog {
 public:
  void Frame(const FrameAnalytics& frame) {
    for (const ZoneCount& zone : frame.zones) {
      Change("zone " + std::string(zone.id),
             std::to_string(zone.objects) + (zone.overcrowded ? " overcrowded" : ""), "0");
    }
    for (const LineCount& line : frame.lines) {
      if (line.crossings == 0) continue;
      Add("line " + std::string(line.id) + " " + std::to_string(line.crossings) + " " +
          std::to_string(line.crossings_total));
    }
  }
  void Object(std::uint64_t id, const ObjectAnalytics& object) {
    const std::string name = "object " + std::to_string(id);
    for (const std::string_view line : object.lines_crossed) {
      Add(name + " crosses " + std::string(line));
    }
    Change(name + " in", Join(object.zones), "-");
    Change(name + " crowded", Join(object.overcrowded_zones), "-");
    Change(name + " goes", object.direction.empty() ? "-" : std::string(object.direction), "-");
    Change(name + " stopped", object.stopped ? "yes" : "no", "no");
  }
  void NextFrame() { ++frame_; }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  static std::string Join(const std::vector<std::string_view>& texts) {
    std::string joined;
    for (const std::string_view text : texts) {
      joined += (joined.empty() ? "" : ",") + std::string(text);
    }
    return joined.empty() ? "-" : joined;
  }
  void Add(const std::string& text) { lines_.push_back(std::to_string(frame_) + " " + text); }
  void Change(const std::string& what, const std::string& value, const std::string& initial) {
    std::string& last = states_.try_emplace(what, initial).first->second;
    if (last == value) return;
    last = value;
    Add(what + " " + value);
  }

  int frame_ = 0;
  std::map<std::string, std::string> states_;
  std::vector<std::string> lines_;
};

// A file with a scenario's configuration, removed at the end.
class ScenarioFile {
 public:
  explicit ScenarioFile(const std::string& text) {
    const int descriptor = mkstemps(path_.data(), 4);
    if (descriptor < 0) throw std::runtime_error("no temporary file");
    std::ofstream(path_) << text;
    close(descriptor);
  }
  ~ScenarioFile() { unlink(path_.c_str()); }
  ScenarioFile(const ScenarioFile&) = delete;
  ScenarioFile& operator=(const ScenarioFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/sightline-analytics-XXXXXX.txt";
};

}  // namespace sightline::test
