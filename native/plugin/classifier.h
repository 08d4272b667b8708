#pragma once

#include <gst/video/video.h>

#include <memory>
#include <string>
#include <vector>

#include "core/config/infer_config.h"
#include "core/infer/crop.h"
#include "core/infer/engine.h"
#include "core/infer/object_memory.h"
#include "plugin/frame_scaler.h"

// What an application sets on slclassify. A negative number leaves the matter to the configuration
// file.
struct ClassifierSettings {
  std::string config_path;
  std::string library_path;
  int unique_id = -1;
  int batch_size = -1;
  int intra_op_threads = 1;
  sightline::ProviderOptions provider;
};

// slclassify's work without its GObject: from objects on a frame to labels. Throws
// sightline::Error.
class Classifier {
 public:
  // Reads the configuration, loads the model and checks that the two fit.
  explicit Classifier(const ClassifierSettings& settings);

  void SetFormat(const GstVideoInfo& info);
  // A label for each part of the frame, in their order; valid until the next call. Blocks while
  // others use the cores. No part may be empty.
  const std::vector<sightline::ClassLabel>& Classify(
      GstVideoFrame* frame, const std::vector<sightline::PixelRect>& parts);

  const sightline::InferConfig& config() const { return config_; }
  const sightline::Engine& engine() const { return *engine_; }

 private:
  void CheckModel() const;
  void WritePart(const sightline::PixelView& picture, const sightline::PixelRect& part,
                 float* input);

  sightline::InferConfig config_;
  std::shared_ptr<sightline::Engine> engine_;
  std::vector<std::unique_ptr<sightline::InferRequest>> requests_;  // [batch_size]
  std::vector<sightline::InferRequest*> running_;
  std::unique_ptr<FrameScaler> converter_;
  sightline::CropScaler crops_;
  sightline::Normalisation normalisation_;
  std::vector<sightline::ClassLabel> labels_;
};
