#pragma once

#include <vector>

namespace sightline {

// Optimal one-to-one assignment by shortest augmenting paths (Jonker and Volgenant, 1987; the
// Hungarian method with potentials). Keeps its working memory between calls.
class Assignment {
 public:
  static constexpr int kUnassigned = -1;

  // Finds the set of pairs with the smallest sum of (cost - limit), so a pair is made only where
  // its cost is below `limit`. `cost` is row-major, rows x columns. Returns each row's column or
  // kUnassigned; the reference stays valid until the next call.
  const std::vector<int>& Solve(const std::vector<float>& cost, int rows, int columns, float limit);

 private:
  void Prepare(const std::vector<float>& cost, int rows, int columns, float limit);
  void Augment(int row);
  void FindPath(int row);

  // The smaller side is "agents", the larger "tasks"; both counted from 1, 0 is the free agent.
  int agents_ = 0;
  int tasks_ = 0;
  std::vector<double> gain_;  // agents x tasks: min(cost - limit, 0)
  std::vector<double> agent_potential_;
  std::vector<double> task_potential_;
  std::vector<int> agent_of_task_;
  std::vector<int> previous_task_;
  std::vector<double> distance_;
  std::vector<char> visited_;
  int path_end_ = 0;
  std::vector<int> column_of_row_;
};

}  // namespace sightline
