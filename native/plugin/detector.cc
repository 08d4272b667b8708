#include "plugin/detector.h"

#include "core/config/infer_difference.h"
#include "core/error.h"

using sightline::ColorFormat;
using sightline::Engine;
using sightline::EngineOptions;
using sightline::Error;
using sightline::ErrorKind;
using sightline::InferConfig;

namespace {

// The file, with what the application set over it.
InferConfig LoadConfig(const DetectorSettings& settings) {
  if (settings.config_path.empty()) {
    throw Error(ErrorKind::kSettings,
                "config-file-path is not set; give a configuration file in nvinfer's format");
  }
  InferConfig config = sightline::LoadInferConfig(settings.config_path);
  if (config.network_type != sightline::NetworkType::kDetector) {
    throw Error(ErrorKind::kSettings, settings.config_path +
                                          ": [property] network-type=1: this is a classifier; "
                                          "slinfer runs detectors, slclassify classifiers");
  }
  if (settings.batch_size > 0) config.batch_size = settings.batch_size;
  if (settings.interval >= 0) config.interval = settings.interval;
  if (settings.unique_id >= 0) config.gie_unique_id = settings.unique_id;
  if (!settings.filter_out_class_ids.empty()) {
    config.filter_out_class_ids = sightline::ParseClassIds(settings.filter_out_class_ids,
                                                           "the property filter-out-class-ids");
  }
  return config;
}

EngineOptions MakeOptions(const InferConfig& config, const DetectorSettings& settings) {
  EngineOptions options;
  options.library_path = settings.library_path;
  options.model_path = config.onnx_file;
  options.intra_op_threads = settings.intra_op_threads;
  options.batch_size = config.batch_size;
  options.batch_wait_us = settings.batch_wait_us;
  options.channels = config.channels;
  options.height = config.height;
  options.width = config.width;
  options.channels_last = config.channels_last;
  options.output_names = config.output_blob_names;
  options.provider = settings.provider;
  return options;
}

}  // namespace

Detector::Detector(const DetectorSettings& settings)
    : config_(LoadConfig(settings)),
      rules_(std::make_unique<DetectorRules>(config_)),
      engine_(Engine::Acquire(MakeOptions(config_, settings))) {
  rules_->postprocessor.CheckOutputs(engine_->outputs(), engine_->width(), engine_->height());
  const int channels = config_.color_format == ColorFormat::kGray ? 1 : 3;
  if (engine_->channels() != channels) {
    throw Error(ErrorKind::kSettings,
                config_.path + ": [property] model-color-format gives " + std::to_string(channels) +
                    " channel(s), but the model " + config_.onnx_file + " takes " +
                    std::to_string(engine_->channels()) +
                    "; write 0 (RGB) or 1 (BGR) for three channels, 2 (GRAY) for one");
  }
  request_ = engine_->CreateRequest();
  input_.data = request_->input();
  input_.width = engine_->width();
  input_.height = engine_->height();
  input_.channels = channels;
  input_.channels_last = config_.channels_last;
  normalisation_.scale = static_cast<float>(config_.net_scale_factor);
  for (size_t i = 0; i < config_.offsets.size(); ++i) {
    normalisation_.mean[i] = static_cast<float>(config_.offsets[i]);
  }
  for (const std::string& label : config_.labels) {
    labels_.push_back(g_quark_from_string(label.c_str()));
  }
}

std::unique_ptr<DetectorRules> Detector::ReadRules(const DetectorSettings& settings) const {
  DetectorSettings same_pace = settings;
  // A property that was set wins over both files, and may have changed since.
  if (same_pace.interval >= 0) same_pace.interval = config_.interval;
  auto rules = std::make_unique<DetectorRules>(LoadConfig(same_pace));
  const std::string key = sightline::NetworkDifference(config_, rules->config);
  if (!key.empty()) {
    throw Error(ErrorKind::kSettings,
                rules->config.path + ": " + key + " differs from " + config_.path +
                    "; a detector that runs takes other thresholds alone, and is made anew for "
                    "the rest");
  }
  rules->postprocessor.CheckOutputs(engine_->outputs(), engine_->width(), engine_->height());
  return rules;
}

void Detector::SetFormat(const GstVideoInfo& info) {
  letterbox_ =
      sightline::FitFrame(GST_VIDEO_INFO_WIDTH(&info), GST_VIDEO_INFO_HEIGHT(&info), input_.width,
                          input_.height, config_.maintain_aspect_ratio, config_.symmetric_padding);
  scaler_ =
      std::make_unique<FrameScaler>(info, letterbox_, config_.color_format, config_.scaling_filter);
  input_.left = letterbox_.left;
  input_.top = letterbox_.top;
  // What surrounds the picture is written once and stays.
  sightline::WriteBlack(normalisation_, input_);
}

const std::vector<sightline::Detection>& Detector::Detect(GstVideoFrame* frame) {
  sightline::WritePicture(scaler_->Scale(frame), normalisation_, input_);
  engine_->Run(*request_);
  return rules_->postprocessor.Process(request_->outputs(), letterbox_);
}
