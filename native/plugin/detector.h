#pragma once

#include <gst/video/video.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/config/infer_config.h"
#include "core/infer/engine.h"
#include "core/infer/letterbox.h"
#include "core/infer/postprocess.h"
#include "core/infer/preprocess.h"
#include "plugin/frame_scaler.h"

// What an application sets on slinfer. A negative number or an empty text leaves the matter to the
// configuration file.
struct DetectorSettings {
  std::string config_path;
  std::string library_path;
  std::string filter_out_class_ids;
  int batch_size = -1;
  int interval = -1;
  int unique_id = -1;
  int intra_op_threads = 1;
  int batch_wait_us = 500;
  sightline::ProviderOptions provider;
};

// What is kept of the network's results: a configuration, and the postprocessor that follows it.
struct DetectorRules {
  explicit DetectorRules(sightline::InferConfig given)
      : config(std::move(given)), postprocessor(config) {}
  DetectorRules(const DetectorRules&) = delete;
  DetectorRules& operator=(const DetectorRules&) = delete;

  const sightline::InferConfig config;
  sightline::Postprocessor postprocessor;
};

// slinfer's work without its GObject: from a video frame to detections in its pixels. Throws
// sightline::Error.
class Detector {
 public:
  // Reads the configuration, loads the model and checks that the two fit.
  explicit Detector(const DetectorSettings& settings);

  void SetFormat(const GstVideoInfo& info);
  // Reads the configuration anew, for SetRules. Another thread may call it while frames pass.
  // Throws where it differs by more than what is kept of the results.
  std::unique_ptr<DetectorRules> ReadRules(const DetectorSettings& settings) const;
  // They hold from the next frame on.
  void SetRules(std::unique_ptr<DetectorRules> rules) { rules_ = std::move(rules); }
  // Valid until the next call. Blocks while others use the cores.
  const std::vector<sightline::Detection>& Detect(GstVideoFrame* frame);

  // As the detector was made; thresholds may have changed since.
  const sightline::InferConfig& config() const { return config_; }
  const sightline::Engine& engine() const { return *engine_; }
  GQuark label(int class_id) const { return labels_[static_cast<size_t>(class_id)]; }
  // Pictures that shared the last Run, this one included.
  int batched_with() const { return request_->batched_with(); }

 private:
  const sightline::InferConfig config_;
  std::unique_ptr<DetectorRules> rules_;
  std::shared_ptr<sightline::Engine> engine_;
  std::unique_ptr<sightline::InferRequest> request_;
  std::unique_ptr<FrameScaler> scaler_;
  sightline::Letterbox letterbox_;
  sightline::NetworkInput input_;
  sightline::Normalisation normalisation_;
  std::vector<GQuark> labels_;
};
