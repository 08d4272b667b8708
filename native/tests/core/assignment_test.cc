#include "core/track/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>
#include <vector>

namespace sightline {
namespace {

// The smallest sum of (cost - limit) over every set of pairs, by trying them all.
double BruteForce(const std::vector<float>& cost, int rows, int columns, float limit, int row,
                  std::vector<bool>* taken) {
  if (row == rows) return 0;
  double best = BruteForce(cost, rows, columns, limit, row + 1, taken);
  for (int column = 0; column < columns; ++column) {
    const float value = cost[row * columns + column];
    if ((*taken)[column] || value >= limit) continue;
    (*taken)[column] = true;
    best = std::min(best, static_cast<double>(value) - limit +
                              BruteForce(cost, rows, columns, limit, row + 1, taken));
    (*taken)[column] = false;
  }
  return best;
}

double SumOf(const std::vector<int>& columns_of, const std::vector<float>& cost, int columns,
             float limit) {
  double sum = 0;
  std::set<int> used;
  for (std::size_t row = 0; row < columns_of.size(); ++row) {
    if (columns_of[row] == Assignment::kUnassigned) continue;
    const float value = cost[row * columns + columns_of[row]];
    EXPECT_LT(value, limit);
    EXPECT_TRUE(used.insert(columns_of[row]).second) << "column given twice";
    sum += static_cast<double>(value) - limit;
  }
  return sum;
}

TEST(AssignmentTest, IsOptimalOnRandomMatrices) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> any(0, 1);
  std::uniform_int_distribution<int> size(0, 6);
  Assignment assignment;
  for (int round = 0; round < 2000; ++round) {
    const int rows = size(random), columns = size(random);
    const float limit = any(random);
    std::vector<float> cost(rows * columns);
    // Few distinct values make ties, where a wrong potential shows.
    for (float& value : cost)
      value = round % 2 == 0 ? any(random) : std::floor(any(random) * 4) / 4;
    std::vector<bool> taken(columns, false);
    const double best = BruteForce(cost, rows, columns, limit, 0, &taken);
    const auto& columns_of = assignment.Solve(cost, rows, columns, limit);
    ASSERT_EQ(columns_of.size(), static_cast<std::size_t>(rows));
    ASSERT_NEAR(SumOf(columns_of, cost, columns, limit), best, 1e-5)
        << rows << " x " << columns << ", limit " << limit << ", round " << round;
  }
}

TEST(AssignmentTest, PrefersTheBetterSumToTheBestPair) {
  Assignment assignment;
  // The best single pair (0, 0) would leave row 1 with nothing under the limit.
  EXPECT_EQ(assignment.Solve({0.1F, 0.2F, 0.3F, 0.9F}, 2, 2, 0.8F), (std::vector<int>{1, 0}));
}

TEST(AssignmentTest, LeavesPairsAtTheLimitUnassigned) {
  Assignment assignment;
  EXPECT_EQ(assignment.Solve({0.5F}, 1, 1, 0.5F), (std::vector<int>{Assignment::kUnassigned}));
  EXPECT_EQ(assignment.Solve({}, 2, 0, 0.5F),
            (std::vector<int>{Assignment::kUnassigned, Assignment::kUnassigned}));
  EXPECT_TRUE(assignment.Solve({}, 0, 3, 0.5F).empty());
}

}  // namespace
}  // namespace sightline
