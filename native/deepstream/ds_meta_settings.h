#pragma once

#include <gst/gst.h>

#include <string>

#include "deepstream/batch_writer.h"

// Properties of sldsmeta that say how it works; those that count are in its own file.

enum SlDsMetaProperty {
  PROP_SESSION = 1,
  PROP_EPOCH,
  PROP_STREAMS,
  PROP_MODELS,
  PROP_TRACKER,
  PROP_EXECUTION_PROVIDER,
  PROP_CAPTURE_CLOCK,
  PROP_PADDING,
  PROP_TRACKER_WIDTH,
  PROP_TRACKER_HEIGHT,
  PROP_LIBRARY_DIR,
  PROP_LAST_SETTING = PROP_LIBRARY_DIR,
};

// As they were set.
struct SlDsMetaWanted {
  std::string session;
  guint64 epoch = 0;
  std::string streams;
  std::string models;
  std::string tracker;
  std::string execution_provider = "TensorRT";
  std::string capture_clock = kDefaultCaptureClock;
  std::string library_dir;
  sightline::BatchFacts facts;
};

void SlInstallDsMetaSettings(GObjectClass* klass);
// False when the property is none of these.
bool SlSetDsMetaSetting(SlDsMetaWanted* wanted, guint id, const GValue* value);
bool SlGetDsMetaSetting(SlDsMetaWanted* wanted, guint id, GValue* value);
// What they mean. Throws sightline::Error (kSettings).
BatchWriterSettings SlReadDsMetaSettings(const SlDsMetaWanted& wanted);
