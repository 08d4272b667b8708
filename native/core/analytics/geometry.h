#pragma once

#include <vector>

namespace sightline {

// Whole pixels of the surface: nvdsanalytics reckons in them, and so do its limits.
struct Pixel {
  int x = 0;
  int y = 0;
};

struct Vec {
  double x = 0;
  double y = 0;
};

// Whether a point lies in a polygon (even-odd). A point on a left or an upper edge is inside, on a
// right or a lower edge outside; edges cut rows at whole pixels, rounded down.
bool Contains(const std::vector<Pixel>& polygon, Pixel point);

// A line with two sides, and the way across it that counts.
class CrossingLine {
 public:
  // Sign of the change of Side() for a crossing that counts; kUnclear when the direction runs along
  // the line.
  enum class Way { kUnclear, kUp, kDown };

  CrossingLine(Pixel from, Pixel to, Pixel direction_from, Pixel direction_to);

  Way way() const { return way_; }
  // Distance of a point from the line in pixels, positive on one side and negative on the other.
  double Side(Vec point) const;
  // Whether the move `from` -> `to`, drawn out without end, meets the line between its ends.
  bool MeetsBetweenEnds(Vec from, Vec to) const;
  // Whether a move keeps to the direction: the cosine between them is at least `least`.
  bool Along(Pixel from, Pixel to, double least) const;

 private:
  Vec start_;
  Vec along_;  // start to end
  // Side() is normal . point + offset; the normal is of length 1.
  Vec normal_;
  double offset_ = 0;
  Vec direction_;  // of length 1
  Way way_ = Way::kUnclear;
};

// A vector of length 1, or of length 0 where both points are one.
Vec Direction(Pixel from, Pixel to);
// Whether a move keeps to a direction of length 1: the cosine between them is at least `least`.
bool KeepsTo(Vec direction, Pixel from, Pixel to, double least);

}  // namespace sightline
