#pragma once

#include <gst/gst.h>

// The stand-ins' types, by NVIDIA's factory name.
namespace sightline::standin {

bool RegisterSources(GstPlugin* plugin);
bool RegisterMuxer(GstPlugin* plugin);
bool RegisterDemuxer(GstPlugin* plugin);
bool RegisterTransforms(GstPlugin* plugin);
bool RegisterCodecs(GstPlugin* plugin);
bool RegisterSinks(GstPlugin* plugin);

}  // namespace sightline::standin
