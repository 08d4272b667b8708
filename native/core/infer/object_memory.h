#pragma once

#include <cstdint>
#include <unordered_map>

namespace sightline {

// The label a classifier gave an object; `value` < 0: none was likely enough.
struct ClassLabel {
  int value = -1;  // index of the label
  float confidence = 0;
};

// The most likely label, when it is more likely than `threshold` (nvinfer's rule).
ClassLabel BestLabel(const float* probabilities, int count, float threshold);

// What a classifier last said of each tracked object of a stream, so that it need not look at each
// on every frame. An object is looked at anew by nvinfer's rules: more than `reinfer_interval`
// frames later, or when its area has grown by more than a fifth. One that was not seen for 150
// frames is forgotten.
class ObjectMemory {
 public:
  explicit ObjectMemory(int reinfer_interval) : reinfer_interval_(reinfer_interval) {}

  // The label to use again, or null: look at the object. `area` in pixels; frames are counted up.
  const ClassLabel* Recall(std::uint64_t track_id, std::uint64_t frame, double area);
  void Remember(std::uint64_t track_id, std::uint64_t frame, double area, const ClassLabel& label);
  // Drops what was not seen for long; to be called now and then.
  void Forget(std::uint64_t frame);

  std::size_t size() const { return objects_.size(); }

 private:
  struct Object {
    std::uint64_t inferred = 0;  // frames
    std::uint64_t seen = 0;
    double area = 0;  // when it was inferred
    ClassLabel label;
  };

  int reinfer_interval_;
  std::unordered_map<std::uint64_t, Object> objects_;
};

}  // namespace sightline
