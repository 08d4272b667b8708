#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sightline {

enum class ElementType { kFloat32, kInt64 };

// One output of a network for one picture. Owns nothing but its name and dimensions.
struct TensorView {
  std::string name;
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> dims;  // without the batch dimension, as DeepStream's parser ABI gives them
  const void* data = nullptr;

  const float* floats() const { return static_cast<const float*>(data); }
  const int64_t* integers() const { return static_cast<const int64_t*>(data); }
  size_t rank() const { return dims.size(); }
};

// The product of dimensions that are all known.
size_t CountElements(const std::vector<int64_t>& dims);
// "detections [100,6] float32", for messages.
std::string Describe(const TensorView& tensor);
std::string Describe(const std::vector<TensorView>& tensors);
// "[1,3,512,512]"; a negative dimension is written "?".
std::string DescribeDims(const std::vector<int64_t>& dims);

}  // namespace sightline
