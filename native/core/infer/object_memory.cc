#include "core/infer/object_memory.h"

#include <iterator>

namespace sightline {
namespace {

constexpr double kGrown = 1.2;
constexpr std::uint64_t kForgetAfter = 150;  // frames

}  // namespace

ClassLabel BestLabel(const float* probabilities, int count, float threshold) {
  ClassLabel best;
  for (int i = 0; i < count; ++i) {
    // Not a number is never more.
    if (!(probabilities[i] > threshold && probabilities[i] > best.confidence)) continue;
    best.value = i;
    best.confidence = probabilities[i];
  }
  return best;
}

const ClassLabel* ObjectMemory::Recall(std::uint64_t track_id, std::uint64_t frame, double area) {
  const auto found = objects_.find(track_id);
  if (found == objects_.end()) return nullptr;
  Object& object = found->second;
  object.seen = frame;
  const bool old = frame - object.inferred > static_cast<std::uint64_t>(reinfer_interval_);
  return old || area > kGrown * object.area ? nullptr : &object.label;
}

void ObjectMemory::Remember(std::uint64_t track_id, std::uint64_t frame, double area,
                            const ClassLabel& label) {
  objects_[track_id] = {frame, frame, area, label};
}

void ObjectMemory::Forget(std::uint64_t frame) {
  for (auto object = objects_.begin(); object != objects_.end();) {
    const bool gone = frame - object->second.seen > kForgetAfter;
    object = gone ? objects_.erase(object) : std::next(object);
  }
}

}  // namespace sightline
