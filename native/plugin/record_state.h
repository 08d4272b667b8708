#pragma once

#include <gst/gst.h>

#include <atomic>

#include "plugin/record_intake.h"
#include "plugin/recorder.h"

// What one slrecord element holds: its settings, what runs, and its counters.
struct SlRecordState {
  explicit SlRecordState(GstElement* element) : recorder(element, &counters) {}

  SlRecorderSettings settings;     // under the object's lock; in force from the next start
  std::atomic<guint64> frames{0};  // that came
  SlRecorderCounters counters;
  SlRecorder recorder;
  SlRecordIntake intake;  // last, so that it goes first: its thread works with what stands above
};

// slrecord's properties. Set and get are called under the object's lock and return false for a
// number that is no property.
void SlRecordInstallProperties(GObjectClass* klass);
bool SlRecordSet(SlRecordState* state, guint id, const GValue* value);
bool SlRecordGet(const SlRecordState& state, guint id, GValue* value);
