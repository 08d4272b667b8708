#include <gst/gst.h>
#include <unistd.h>

#include "tests/stand-in-plugin/elements.h"

// A plugin that has the factories, properties and pads of DeepStream and none of its abilities: it
// lets tests run the very graphs of the DeepStream backend on any machine. It is built with the
// tests, into their folder, and installed nowhere; where DeepStream is, it refuses to load.

namespace {

constexpr char kDeepStream[] = "/opt/nvidia/deepstream/deepstream/lib";

gboolean Load(GstPlugin* plugin) {
  using namespace sightline::standin;
  if (access(kDeepStream, F_OK) == 0) {
    g_printerr("The STAND-IN for DeepStream refuses to load: the real one is in %s\n", kDeepStream);
    return FALSE;
  }
  return RegisterSources(plugin) && RegisterMuxer(plugin) && RegisterDemuxer(plugin) &&
         RegisterTransforms(plugin) && RegisterCodecs(plugin) && RegisterSinks(plugin);
}

}  // namespace

#define PACKAGE "sightline-tests"
GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, nvstandin,
                  "STAND-IN for NVIDIA DeepStream in tests: looks the same, sees nothing", Load,
                  "0", "Apache 2.0", "sightline-tests", "https://github.com/sightline")
