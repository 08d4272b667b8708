#include "core/config/labels.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"

namespace sightline {

std::vector<std::string> ReadLabels(const std::string& path) {
  std::ifstream stream(path);
  std::vector<std::string> labels;
  std::string line;
  bool read = static_cast<bool>(stream);
  while (read && std::getline(stream, line)) {
    const size_t last = line.find_last_not_of(" \t\r");
    const size_t first = line.find_first_not_of(" \t\r");
    labels.push_back(last == std::string::npos ? "" : line.substr(first, last - first + 1));
  }
  if (!read || stream.bad() || (labels.empty() && stream.fail() && !stream.eof())) {
    throw Error(ErrorKind::kNotFound, "Cannot read the labels " + path + ": " +
                                          std::strerror(errno) +
                                          "; give a text file with one label a line in "
                                          "labelfile-path");
  }
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i].empty()) continue;
    throw Error(ErrorKind::kSettings, path + ":" + std::to_string(i + 1) + ": the label of class " +
                                          std::to_string(i) + " is empty; write one label a line");
  }
  return labels;
}

}  // namespace sightline
