#pragma once

#include <string>
#include <vector>

namespace sightline {

// The labels of a detector, one a line, in class order; white space around them and empty lines at
// the end are no part of them. Throws Error.
std::vector<std::string> ReadLabels(const std::string& path);

// The values of a classifier's attribute: one line, with ';' between them, as nvinfer has it for a
// network of one output. Throws Error.
std::vector<std::string> ReadAttributeLabels(const std::string& path);

}  // namespace sightline
