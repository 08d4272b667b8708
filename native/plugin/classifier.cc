#include "plugin/classifier.h"

#include <algorithm>

#include "core/error.h"
#include "core/infer/letterbox.h"

using sightline::ColorFormat;
using sightline::Engine;
using sightline::EngineOptions;
using sightline::Error;
using sightline::ErrorKind;
using sightline::InferConfig;
using sightline::InferRequest;
using sightline::TensorView;

namespace {

InferConfig LoadConfig(const ClassifierSettings& settings) {
  if (settings.config_path.empty()) {
    throw Error(ErrorKind::kSettings,
                "config-file-path is not set; give a configuration file in nvinfer's format");
  }
  InferConfig config = sightline::LoadInferConfig(settings.config_path);
  if (config.network_type != sightline::NetworkType::kClassifier) {
    throw Error(ErrorKind::kSettings, settings.config_path +
                                          ": [property] network-type=0: this is a detector; "
                                          "slclassify runs classifiers, slinfer detectors");
  }
  if (settings.batch_size > 0) config.batch_size = settings.batch_size;
  if (settings.unique_id >= 0) config.gie_unique_id = settings.unique_id;
  return config;
}

EngineOptions MakeOptions(const InferConfig& config, const ClassifierSettings& settings) {
  EngineOptions options;
  options.library_path = settings.library_path;
  options.model_path = config.onnx_file;
  options.intra_op_threads = settings.intra_op_threads;
  options.batch_size = config.batch_size;
  options.channels = config.channels;
  options.height = config.height;
  options.width = config.width;
  options.channels_last = config.channels_last;
  options.output_names = config.output_blob_names;
  options.provider = settings.provider;
  return options;
}

}  // namespace

Classifier::Classifier(const ClassifierSettings& settings)
    : config_(LoadConfig(settings)),
      engine_(Engine::Acquire(MakeOptions(config_, settings))),
      crops_(config_.scaling_filter) {
  CheckModel();
  for (int i = 0; i < config_.batch_size; ++i) requests_.push_back(engine_->CreateRequest());
  normalisation_.scale = static_cast<float>(config_.net_scale_factor);
  for (size_t i = 0; i < config_.offsets.size(); ++i) {
    normalisation_.mean[i] = static_cast<float>(config_.offsets[i]);
  }
}

void Classifier::CheckModel() const {
  const int channels = config_.color_format == ColorFormat::kGray ? 1 : 3;
  if (engine_->channels() != channels) {
    throw Error(ErrorKind::kSettings, config_.path + ": [property] model-color-format gives " +
                                          std::to_string(channels) + " channel(s), but the model " +
                                          config_.onnx_file + " takes " +
                                          std::to_string(engine_->channels()));
  }
  const std::vector<TensorView>& outputs = engine_->outputs();
  if (outputs.size() == 1 && outputs[0].type == sightline::ElementType::kFloat32 &&
      sightline::CountElements(outputs[0].dims) == config_.labels.size()) {
    return;
  }
  throw Error(ErrorKind::kModel, "A classifier has one output with a probability for each of its " +
                                     std::to_string(config_.labels.size()) + " labels, but " +
                                     config_.onnx_file + " has " + sightline::Describe(outputs) +
                                     "; correct output-blob-names or labelfile-path");
}

void Classifier::SetFormat(const GstVideoInfo& info) {
  // The frame keeps its size: its parts are scaled, each by itself.
  sightline::Letterbox whole;
  whole.source_width = whole.width = GST_VIDEO_INFO_WIDTH(&info);
  whole.source_height = whole.height = GST_VIDEO_INFO_HEIGHT(&info);
  converter_ =
      std::make_unique<FrameScaler>(info, whole, config_.color_format, config_.scaling_filter);
}

void Classifier::WritePart(const sightline::PixelView& picture, const sightline::PixelRect& part,
                           float* data) {
  sightline::NetworkInput input;
  input.data = data;
  input.width = engine_->width();
  input.height = engine_->height();
  input.channels = engine_->channels();
  input.channels_last = config_.channels_last;
  const sightline::Letterbox box =
      sightline::FitFrame(part.width, part.height, input.width, input.height,
                          config_.maintain_aspect_ratio, config_.symmetric_padding);
  if (box.width < input.width || box.height < input.height) {
    sightline::WriteBlack(normalisation_, input);
  }
  input.left = box.left;
  input.top = box.top;
  crops_.Write(picture, part, box.width, box.height, normalisation_, input);
}

const std::vector<sightline::ClassLabel>& Classifier::Classify(
    GstVideoFrame* frame, const std::vector<sightline::PixelRect>& parts) {
  labels_.clear();
  const sightline::PixelView& picture = converter_->Scale(frame);
  for (size_t from = 0; from < parts.size(); from += running_.size()) {
    running_.clear();
    const size_t count = std::min(requests_.size(), parts.size() - from);
    for (size_t i = 0; i < count; ++i) {
      WritePart(picture, parts[from + i], requests_[i]->input());
      running_.push_back(requests_[i].get());
    }
    engine_->RunAll(running_);
    for (const InferRequest* request : running_) {
      const auto* probabilities = static_cast<const float*>(request->outputs()[0].data);
      labels_.push_back(sightline::BestLabel(probabilities, static_cast<int>(config_.labels.size()),
                                             config_.classifier_threshold));
    }
  }
  return labels_;
}
