#include "core/config/labels.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/error.h"

namespace sightline {

static std::vector<std::string> ReadLines(const std::string& path) {
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
  return labels;
}

std::vector<std::string> ReadLabels(const std::string& path) {
  std::vector<std::string> labels = ReadLines(path);
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::string where =
        path + ":" + std::to_string(i + 1) + ": the label of class " + std::to_string(i);
    if (labels[i].empty()) {
      throw Error(ErrorKind::kSettings, where + " is empty; write one label a line");
    }
    // nvinfer would cut the label there.
    if (labels[i].find(';') == std::string::npos) continue;
    throw Error(ErrorKind::kSettings,
                where + " has a ';', which parts the labels of a classifier; take another sign");
  }
  return labels;
}

std::vector<std::string> ReadAttributeLabels(const std::string& path) {
  const std::vector<std::string> lines = ReadLines(path);
  if (lines.size() != 1) {
    throw Error(ErrorKind::kSettings,
                path + " has " + std::to_string(lines.size()) +
                    " lines; a classifier's labels stand on one line, with ; between");
  }
  std::vector<std::string> labels;
  size_t from = 0;
  for (size_t at; (at = lines[0].find(';', from)) != std::string::npos; from = at + 1) {
    labels.push_back(lines[0].substr(from, at - from));
  }
  labels.push_back(lines[0].substr(from));
  for (size_t i = 0; i < labels.size(); ++i) {
    if (!labels[i].empty()) continue;
    throw Error(ErrorKind::kSettings,
                path + ": label " + std::to_string(i) + " is empty; remove a ; or write it");
  }
  return labels;
}

}  // namespace sightline
