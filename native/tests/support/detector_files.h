#pragma once

#include <gst/gst.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sightline::test {

inline std::string SourceFolder() {
  const char* folder = std::getenv("SIGHTLINE_SOURCE_DIR");
  return folder != nullptr ? folder : ".";
}

// One of the small models that native/tests/fixtures/make-models.mjs writes.
inline std::string FixtureModel(const std::string& name) {
  return SourceFolder() + "/native/tests/fixtures/models/" + name;
}

// ONNX Runtime as the environment names it, else as npm installed it.
inline std::string OnnxRuntime() {
  const char* path = std::getenv("SIGHTLINE_ONNXRUNTIME");
  if (path != nullptr) return path;
#if defined(__aarch64__)
  const char* const machine = "arm64";
#else
  const char* const machine = "x64";
#endif
  return SourceFolder() + "/node_modules/onnxruntime-node/bin/napi-v6/linux/" + machine +
         "/libonnxruntime.so.1";
}

// A folder with labels, into which a test writes configurations; removed at the end.
class DetectorFiles {
 public:
  DetectorFiles() {
    std::string name =
        (std::filesystem::temp_directory_path() / "sightline-detector-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    Write("labels.txt", "person\ncar\nsign\n");
  }
  ~DetectorFiles() { std::filesystem::remove_all(folder_); }
  DetectorFiles(const DetectorFiles&) = delete;
  DetectorFiles& operator=(const DetectorFiles&) = delete;

  std::string folder() const { return folder_.string(); }

  std::string Write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return (folder_ / name).string();
  }

  // A configuration of three classes for a model, CenterNet's parser, no suppression, all scores.
  std::string WriteConfig(const std::string& model, const std::string& more = "",
                          const std::string& parser = "SightlineParseCenterNet") const {
    return Write("det.txt", "[property]\nonnx-file=" + model +
                                "\nlabelfile-path=labels.txt\nnum-detected-classes=3\n"
                                "cluster-mode=4\nparse-bbox-func-name=" +
                                parser + "\n" + more +
                                "\n[class-attrs-all]\npre-cluster-threshold=0\n");
  }

  // "slinfer ..." for gst-launch text.
  std::string Launch(const std::string& config, const std::string& more = "") const {
    return "slinfer name=infer config-file-path=" + config +
           " onnxruntime-library=" + OnnxRuntime() + " " + more + " ";
  }

 private:
  std::filesystem::path folder_;
};

}  // namespace sightline::test
