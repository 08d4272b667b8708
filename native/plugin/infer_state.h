#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <atomic>
#include <memory>
#include <string>

#include "plugin/detector.h"

// What one slinfer element holds: its settings, what runs, and its counters.
struct SlInferState {
  // Written by the application under the object's lock; read by start(). What it changes later:
  // `interval`, and by way of `rules` the file and the classes that are left out.
  DetectorSettings settings;
  std::string model_name;
  std::string model_version;

  std::shared_ptr<Detector> detector;    // from start() to stop(); made and ended under the lock
  std::unique_ptr<DetectorRules> rules;  // under the lock; taken over at the next inferred frame
  GstVideoInfo info = {};
  GQuark name = 0;
  GQuark version = 0;
  GQuark provider = 0;
  std::atomic<guint> interval{0};  // in force; the application may change it while frames pass
  guint until_next = 0;            // frames to pass before the next one is inferred

  std::atomic<guint64> frames{0};
  std::atomic<guint64> frames_inferred{0};
  std::atomic<guint64> frames_batched{0};
  std::atomic<guint64> objects{0};
  std::atomic<guint64> last_infer_ns{0};
  std::atomic<guint64> total_infer_ns{0};
};

// slinfer's properties. Set and get are called under the object's lock and return false for a
// number that is no property.
void SlInferInstallProperties(GObjectClass* klass);
// Whether it is one of those by which what is kept of the results changes while frames pass.
bool SlInferIsRule(guint id);
bool SlInferSet(SlInferState& state, guint id, const GValue* value);
bool SlInferGet(const SlInferState& state, guint id, GValue* value);
