#include "core/track/assignment.h"

#include <algorithm>
#include <limits>

namespace sightline {

const std::vector<int>& Assignment::Solve(const std::vector<float>& cost, int rows, int columns,
                                          float limit) {
  column_of_row_.assign(rows, kUnassigned);
  if (rows == 0 || columns == 0) return column_of_row_;
  Prepare(cost, rows, columns, limit);
  for (int agent = 1; agent <= agents_; ++agent) Augment(agent);

  const bool transposed = rows > columns;
  for (int task = 1; task <= tasks_; ++task) {
    const int agent = agent_of_task_[task];
    if (agent == 0) continue;
    const int row = (transposed ? task : agent) - 1;
    const int column = (transposed ? agent : task) - 1;
    // A pair without gain is one that the complete assignment had to make up.
    if (cost[row * columns + column] < limit) column_of_row_[row] = column;
  }
  return column_of_row_;
}

// Clipping each gain at zero lets the solver assign every agent and still find the best partial
// assignment: a pair at or above the limit costs as much as no pair.
void Assignment::Prepare(const std::vector<float>& cost, int rows, int columns, float limit) {
  agents_ = std::min(rows, columns);
  tasks_ = std::max(rows, columns);
  gain_.resize(static_cast<std::size_t>(agents_) * tasks_);
  const bool transposed = rows > columns;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const int agent = transposed ? column : row;
      const int task = transposed ? row : column;
      gain_[agent * tasks_ + task] =
          std::min(static_cast<double>(cost[row * columns + column]) - limit, 0.0);
    }
  }
  agent_potential_.assign(agents_ + 1, 0.0);
  task_potential_.assign(tasks_ + 1, 0.0);
  agent_of_task_.assign(tasks_ + 1, 0);
  previous_task_.resize(tasks_ + 1);
  distance_.resize(tasks_ + 1);
  visited_.resize(tasks_ + 1);
}

// Shortest path, in reduced costs, from `agent` to a free task (Dijkstra over the tasks).
void Assignment::FindPath(int agent) {
  agent_of_task_[0] = agent;
  std::fill(distance_.begin(), distance_.end(), std::numeric_limits<double>::infinity());
  std::fill(visited_.begin(), visited_.end(), 0);
  int task = 0;
  do {
    visited_[task] = 1;
    const int from = agent_of_task_[task];
    const double* const gains = &gain_[(from - 1) * tasks_] - 1;
    double step = std::numeric_limits<double>::infinity();
    int next = 0;
    for (int candidate = 1; candidate <= tasks_; ++candidate) {
      if (visited_[candidate]) continue;
      const double reduced = gains[candidate] - agent_potential_[from] - task_potential_[candidate];
      if (reduced < distance_[candidate]) {
        distance_[candidate] = reduced;
        previous_task_[candidate] = task;
      }
      if (distance_[candidate] < step) {
        step = distance_[candidate];
        next = candidate;
      }
    }
    for (int seen = 0; seen <= tasks_; ++seen) {
      if (visited_[seen]) {
        agent_potential_[agent_of_task_[seen]] += step;
        task_potential_[seen] -= step;
      } else {
        distance_[seen] -= step;
      }
    }
    task = next;
  } while (agent_of_task_[task] != 0);
  path_end_ = task;
}

void Assignment::Augment(int agent) {
  FindPath(agent);
  for (int task = path_end_; task != 0;) {
    const int previous = previous_task_[task];
    agent_of_task_[task] = agent_of_task_[previous];
    task = previous;
  }
}

}  // namespace sightline
