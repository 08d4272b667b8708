#include "core/parsers/tensor.h"

namespace sightline {

size_t CountElements(const std::vector<int64_t>& dims) {
  size_t count = 1;
  for (int64_t dim : dims) count *= static_cast<size_t>(dim);
  return count;
}

std::string DescribeDims(const std::vector<int64_t>& dims) {
  std::string text = "[";
  for (size_t i = 0; i < dims.size(); ++i) {
    if (i > 0) text += ",";
    text += dims[i] < 0 ? "?" : std::to_string(dims[i]);
  }
  return text + "]";
}

std::string Describe(const TensorView& tensor) {
  return tensor.name + " " + DescribeDims(tensor.dims) +
         (tensor.type == ElementType::kFloat32 ? " float32" : " int64");
}

std::string Describe(const std::vector<TensorView>& tensors) {
  std::string text;
  for (const TensorView& tensor : tensors) {
    if (!text.empty()) text += ", ";
    text += Describe(tensor);
  }
  return text.empty() ? "no outputs" : text;
}

}  // namespace sightline
