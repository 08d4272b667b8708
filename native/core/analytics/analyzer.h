#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/analytics/geometry.h"
#include "core/analytics/rules.h"
#include "core/analytics/track_history.h"
#include "core/encode/frame_message.h"

namespace sightline {

// One object of a frame, in pixels of the surface. The box is cut to whole pixels, as nvdsanalytics
// does.
struct AnalyzedObject {
  Box box;
  int class_id = 0;
  bool tracked = false;
  std::uint64_t track_id = 0;
};

// Counts the objects of one stream in zones and over lines as nvdsanalytics 9.1 does
// (docs/adr/0011); behaviour read from its public sources, src/utils/nvds_analytics. In short:
//  - An object stands at the middle of its lower edge, with the mean height of its history.
//  - It crosses a line between its place before (see TrackHistory::Before) and its place now, when
//    it moved far enough, has been there for enough frames, and lies on the other side than before:
//    loose: in the line's way; balanced and strict: at least a pixel from it on both sides, and
//    along the direction. A line with ends must be met between them by the middle or a corner of
//    the lower edge.
//  - It crosses a line once, until it has not been seen for more than 8 s and is forgotten.
//  - It follows each direction it has moved along far enough; an object that stands still follows
//    none and has stopped.
// Unlike there, objects without a track have a height of their own and take no part in lines and
// directions. Ids in the results are sorted; views are the analyzer's.
class Analyzer {
 public:
  // Sizes in pixels; the surface is what limits of distance are meant for (DeepStream's muxer).
  Analyzer(const AnalyticsRules& rules, int stream, int surface_width, int surface_height);

  // `pts_ns` is the frame's time. The results are valid until the next call.
  void Process(const std::vector<AnalyzedObject>& objects, std::uint64_t pts_ns);
  const FrameAnalytics& frame() const { return frame_; }
  // One an object, in the order they came.
  const std::vector<ObjectAnalytics>& objects() const { return results_; }
  // Crossings of all lines since the analyzer was made.
  std::uint64_t crossings() const { return crossings_; }
  // Objects that are remembered.
  std::size_t tracks() const { return tracks_.size(); }

 private:
  // A polygon of either kind; `inverse` is for zones, `threshold` for crowds.
  struct Area {
    std::string id;
    std::vector<int> classes;
    std::vector<Pixel> polygon;
    bool inverse = false;
    std::uint32_t threshold = 0;
    std::size_t count = 0;      // index in frame_.zones
    std::uint32_t objects = 0;  // on this frame
  };
  struct Line {
    std::string id;
    std::vector<int> classes;
    CrossingLine geometry;
    bool extended;
    Strictness mode;
  };
  struct Heading {
    std::string id;
    std::vector<int> classes;
    Vec direction;
  };
  struct Track {
    Track(int length, std::size_t lines) : history(length), crossed(lines) {}

    TrackHistory history;
    std::vector<bool> crossed;  // by line
    std::uint64_t seen_ns = 0;
  };

  void Forget(std::uint64_t now_ns);
  Track& Remember(std::uint64_t id, const TrackHistory::Sample& sample, std::uint64_t now_ns);
  void CountAreas(std::size_t object, int class_id, Pixel foot);
  void FollowDirections(int class_id, const TrackHistory& history, ObjectAnalytics* result) const;
  void CrossLines(int class_id, Track* track, ObjectAnalytics* result);
  bool Crosses(const Line& line, const TrackHistory& history) const;
  void ReportAreas();

  int history_length_;
  std::vector<Area> zones_;
  std::vector<Area> crowds_;
  std::vector<Line> lines_;
  std::vector<Heading> headings_;
  std::unordered_map<std::uint64_t, Track> tracks_;
  FrameAnalytics frame_;
  std::vector<ObjectAnalytics> results_;
  struct Member {
    std::size_t object;
    const Area* crowd;
  };
  std::vector<Member> members_;  // of crowds, on this frame
  std::uint64_t crossings_ = 0;
};

}  // namespace sightline
