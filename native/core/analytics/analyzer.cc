#include "core/analytics/analyzer.h"

#include <algorithm>
#include <set>

namespace sightline {
namespace {

constexpr std::int64_t kForgetMs = 8000;

// How far an object must have moved for a direction, and for how many frames it must be known.
constexpr int kDirectionDistance = 3000;  // pixels^2 of the surface
constexpr std::uint64_t kDirectionFrames = 10;
constexpr float kDirectionCosine = 0.5F;

// Likewise for lines.
struct LineLimits {
  int distance;
  std::uint64_t frames;
  float cosine;
};

LineLimits LimitsOf(Strictness mode) {
  switch (mode) {
    case Strictness::kLoose:
      return {1000, 3, 0.1F};
    case Strictness::kBalanced:
      return {3000, 10, 0.5F};
    case Strictness::kStrict:
      return {6000, 20, 0.8F};
  }
  return {};
}

// From the file's space to whole pixels of the surface, cut off. In single precision, so that both
// backends have the same pixel.
class Scale {
 public:
  Scale(const AnalyticsRules& rules, int width, int height)
      : x_(static_cast<float>(width) / static_cast<float>(rules.width)),
        y_(static_cast<float>(height) / static_cast<float>(rules.height)) {}

  Pixel operator()(RulePoint point) const {
    return {static_cast<int>(static_cast<float>(point.x) * x_),
            static_cast<int>(static_cast<float>(point.y) * y_)};
  }
  std::vector<Pixel> operator()(const std::vector<RulePoint>& points) const {
    std::vector<Pixel> pixels;
    for (const RulePoint point : points) pixels.push_back((*this)(point));
    return pixels;
  }

 private:
  float x_;
  float y_;
};

bool IsOver(std::uint32_t objects, std::uint32_t threshold) {
  return objects > 0 && objects >= threshold;
}

bool Counts(const std::vector<int>& classes, int class_id) {
  return classes.empty() || std::find(classes.begin(), classes.end(), class_id) != classes.end();
}

TrackHistory::Sample SampleOf(const Box& box) {
  const int width = static_cast<int>(box.width);
  const int height = static_cast<int>(box.height);
  return {{static_cast<int>(box.left) + width / 2, static_cast<int>(box.top) + height / 2},
          width,
          height};
}

std::int64_t SquaredDistance(Pixel a, Pixel b) {
  const std::int64_t x = std::int64_t{a.x} - b.x;
  const std::int64_t y = std::int64_t{a.y} - b.y;
  return x * x + y * y;
}

Vec ToVec(double x, double y) { return {x, y}; }

}  // namespace

Analyzer::Analyzer(const AnalyticsRules& rules, int stream, int surface_width, int surface_height)
    : history_length_(rules.history) {
  const auto found = rules.streams.find(stream);
  if (found == rules.streams.end()) return;
  const StreamRules& own = found->second;
  const Scale scale(rules, surface_width, surface_height);
  std::set<std::string> ids;
  for (const ZoneRule& rule : own.zones) ids.insert(rule.id);
  for (const CrowdRule& rule : own.crowds) ids.insert(rule.id);
  const auto count_of = [&](const std::string& id) {
    return static_cast<std::size_t>(std::distance(ids.begin(), ids.find(id)));
  };
  frame_.zones.resize(ids.size());
  for (const ZoneRule& rule : own.zones) {
    zones_.push_back(
        {rule.id, rule.classes, scale(rule.polygon), rule.inverse, 0, count_of(rule.id)});
  }
  for (const CrowdRule& rule : own.crowds) {
    crowds_.push_back({rule.id, rule.classes, scale(rule.polygon), false,
                       static_cast<std::uint32_t>(rule.object_threshold), count_of(rule.id)});
  }
  for (const LineRule& rule : own.lines) {
    lines_.push_back({rule.id, rule.classes,
                      CrossingLine(scale(rule.line[0]), scale(rule.line[1]),
                                   scale(rule.direction[0]), scale(rule.direction[1])),
                      rule.extended, rule.mode});
  }
  for (const DirectionRule& rule : own.directions) {
    headings_.push_back(
        {rule.id, rule.classes, Direction(scale(rule.direction[0]), scale(rule.direction[1]))});
  }
  // Only now: the views point into the vectors above.
  for (const Area& zone : zones_) frame_.zones[zone.count].id = zone.id;
  for (const Area& crowd : crowds_) frame_.zones[crowd.count].id = crowd.id;
  for (const Line& line : lines_) frame_.lines.push_back({line.id, 0, 0});
}

void Analyzer::Process(const std::vector<AnalyzedObject>& objects, std::uint64_t pts_ns) {
  Forget(pts_ns);
  for (Area& zone : zones_) zone.objects = 0;
  for (Area& crowd : crowds_) crowd.objects = 0;
  for (LineCount& line : frame_.lines) line.crossings = 0;
  results_.assign(objects.size(), {});
  members_.clear();
  for (std::size_t i = 0; i < objects.size(); ++i) {
    const AnalyzedObject& object = objects[i];
    const TrackHistory::Sample sample = SampleOf(object.box);
    if (!object.tracked) {
      CountAreas(i, object.class_id, sample.Foot());
      continue;
    }
    Track& track = Remember(object.track_id, sample, pts_ns);
    const int mean_height = static_cast<int>(track.history.MeanHeight());
    CountAreas(i, object.class_id, {sample.middle.x, sample.middle.y + mean_height / 2});
    FollowDirections(object.class_id, track.history, &results_[i]);
    CrossLines(object.class_id, &track, &results_[i]);
  }
  ReportAreas();
}

void Analyzer::Forget(std::uint64_t now_ns) {
  for (auto track = tracks_.begin(); track != tracks_.end();) {
    // Signed: time may go back.
    const auto unseen = static_cast<std::int64_t>(now_ns - track->second.seen_ns);
    track = unseen / 1'000'000 > kForgetMs ? tracks_.erase(track) : std::next(track);
  }
}

Analyzer::Track& Analyzer::Remember(std::uint64_t id, const TrackHistory::Sample& sample,
                                    std::uint64_t now_ns) {
  const auto [found, is_new] = tracks_.try_emplace(id, history_length_, lines_.size());
  Track& track = found->second;
  track.seen_ns = now_ns;
  track.history.Add(sample);
  return track;
}

void Analyzer::CountAreas(std::size_t object, int class_id, Pixel foot) {
  for (Area& zone : zones_) {
    if (!Counts(zone.classes, class_id) || Contains(zone.polygon, foot) == zone.inverse) continue;
    ++zone.objects;
    results_[object].zones.push_back(zone.id);
  }
  for (Area& crowd : crowds_) {
    if (!Counts(crowd.classes, class_id) || !Contains(crowd.polygon, foot)) continue;
    ++crowd.objects;
    members_.push_back({object, &crowd});
  }
}

// A zone that is in both lists has the crowd's count.
void Analyzer::ReportAreas() {
  for (const Area& zone : zones_) frame_.zones[zone.count].objects = zone.objects;
  for (const Area& crowd : crowds_) {
    frame_.zones[crowd.count].objects = crowd.objects;
    frame_.zones[crowd.count].overcrowded = IsOver(crowd.objects, crowd.threshold);
  }
  for (const Member& member : members_) {
    if (!IsOver(member.crowd->objects, member.crowd->threshold)) continue;
    results_[member.object].overcrowded_zones.push_back(member.crowd->id);
  }
}

void Analyzer::FollowDirections(int class_id, const TrackHistory& history,
                                ObjectAnalytics* result) const {
  for (const Heading& heading : headings_) {
    if (!Counts(heading.classes, class_id)) continue;
    if (history.HasStopped()) {
      result->stopped = true;
      return;
    }
    if (!result->direction.empty() || history.count() <= kDirectionFrames) continue;
    const TrackHistory::Sample before = history.Before();
    const TrackHistory::Sample& now = history.last();
    if (SquaredDistance(before.Foot(), now.Foot()) > kDirectionDistance &&
        KeepsTo(heading.direction, before.middle, now.middle, kDirectionCosine)) {
      result->direction = heading.id;
    }
  }
}

void Analyzer::CrossLines(int class_id, Track* track, ObjectAnalytics* result) {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    const Line& line = lines_[i];
    if (track->crossed[i] || !Counts(line.classes, class_id)) continue;
    if (!Crosses(line, track->history)) continue;
    track->crossed[i] = true;
    ++frame_.lines[i].crossings;
    ++frame_.lines[i].crossings_total;
    ++crossings_;
    result->lines_crossed.push_back(line.id);
  }
}

bool Analyzer::Crosses(const Line& line, const TrackHistory& history) const {
  using Way = CrossingLine::Way;
  const LineLimits limits = LimitsOf(line.mode);
  if (history.count() <= limits.frames) return false;
  const TrackHistory::Sample before = history.Before();
  const TrackHistory::Sample& now = history.last();
  if (SquaredDistance(before.Foot(), now.Foot()) <= limits.distance) return false;

  const float mean_height = history.MeanHeight();
  const Way way = line.geometry.way();
  if (line.mode == Strictness::kLoose && way != Way::kUnclear) {
    // In single precision, as there.
    const float foot = static_cast<float>(before.middle.y) + mean_height / 2;
    const double was = line.geometry.Side(ToVec(before.middle.x, static_cast<double>(foot)));
    const double is = line.geometry.Side(ToVec(now.Foot().x, now.Foot().y));
    if (way == Way::kUp ? !(was < 0 && is >= 0) : !(was > 0 && is <= 0)) return false;
  } else {
    const Pixel from = {before.middle.x, before.middle.y + static_cast<int>(mean_height) / 2};
    const Pixel to = now.Foot();
    if (!line.geometry.Along(from, to, limits.cosine)) return false;
    const int was = static_cast<int>(line.geometry.Side(ToVec(from.x, from.y)));
    const int is = static_cast<int>(line.geometry.Side(ToVec(to.x, to.y)));
    if (!(was < 0 && is > 0) && !(was > 0 && is < 0)) return false;
  }
  if (line.extended) return true;

  const double from_y = before.middle.y + static_cast<double>(mean_height) / 2;
  const double to_y = now.middle.y + now.height / 2.0;
  const auto meets = [&](int from_shift, int to_shift) {
    return line.geometry.MeetsBetweenEnds(ToVec(before.middle.x + from_shift, from_y),
                                          ToVec(now.middle.x + to_shift, to_y));
  };
  return meets(0, 0) || meets(before.width / 2, now.width / 2) ||
         meets(-(before.width / 2), -(now.width / 2));
}

}  // namespace sightline
