#include "core/analytics/geometry.h"

#include <cmath>
#include <cstdint>

namespace sightline {
namespace {

// Sine below which two lines count as parallel.
constexpr double kParallel = 1e-5;

double Dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y; }
double Cross(Vec a, Vec b) { return a.x * b.y - a.y * b.x; }
Vec Minus(Vec a, Vec b) { return {a.x - b.x, a.y - b.y}; }
Vec ToVec(Pixel point) { return {static_cast<double>(point.x), static_cast<double>(point.y)}; }

std::int64_t FloorDivide(std::int64_t numerator, std::int64_t denominator) {
  const std::int64_t quotient = numerator / denominator;
  const bool below = numerator % denominator != 0 && (numerator < 0) != (denominator < 0);
  return below ? quotient - 1 : quotient;
}

}  // namespace

bool Contains(const std::vector<Pixel>& polygon, Pixel point) {
  bool inside = false;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Pixel a = polygon[i];
    const Pixel b = polygon[i + 1 < polygon.size() ? i + 1 : 0];
    if ((point.y >= a.y) == (point.y >= b.y)) continue;  // the edge is above or below
    const std::int64_t rise = std::int64_t{b.y} - a.y;
    const std::int64_t x =
        a.x + FloorDivide((std::int64_t{b.x} - a.x) * (std::int64_t{point.y} - a.y), rise);
    if (x <= point.x) inside = !inside;
  }
  return inside;
}

Vec Direction(Pixel from, Pixel to) {
  const Vec way = Minus(ToVec(to), ToVec(from));
  const double length = std::sqrt(Dot(way, way));
  return length == 0 ? Vec{} : Vec{way.x / length, way.y / length};
}

bool KeepsTo(Vec direction, Pixel from, Pixel to, double least) {
  const Vec move = Minus(ToVec(to), ToVec(from));
  if (move.x == 0 && move.y == 0) return false;
  return Dot(direction, move) / std::sqrt(Dot(move, move)) >= least;
}

CrossingLine::CrossingLine(Pixel from, Pixel to, Pixel direction_from, Pixel direction_to)
    : start_(ToVec(from)),
      along_(Minus(ToVec(to), ToVec(from))),
      direction_(Direction(direction_from, direction_to)) {
  const double length = std::sqrt(Dot(along_, along_));
  if (length == 0) return;
  normal_ = {-along_.y / length, along_.x / length};
  offset_ = Cross(ToVec(from), ToVec(to)) / length;
  const double rise = Dot(normal_, direction_);
  if (std::abs(rise) >= kParallel) way_ = rise > 0 ? Way::kUp : Way::kDown;
}

double CrossingLine::Side(Vec point) const { return Dot(normal_, point) + offset_; }

bool CrossingLine::MeetsBetweenEnds(Vec from, Vec to) const {
  const Vec move = Minus(to, from);
  const double turn = Cross(along_, move);
  const double sizes = std::sqrt(Dot(along_, along_) * Dot(move, move));
  if (std::abs(turn) < kParallel * sizes || sizes == 0) return false;
  const double place = Cross(Minus(from, start_), move) / turn;
  return place > 0 && place < 1;
}

bool CrossingLine::Along(Pixel from, Pixel to, double least) const {
  return KeepsTo(direction_, from, to, least);
}

}  // namespace sightline
