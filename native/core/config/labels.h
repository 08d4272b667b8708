#pragma once

#include <string>
#include <vector>

namespace sightline {

// The labels of a detector, one a line, in class order; white space around them and empty lines at
// the end are no part of them. Throws Error.
std::vector<std::string> ReadLabels(const std::string& path);

}  // namespace sightline
