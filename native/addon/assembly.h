#pragma once

#include <gst/gst.h>

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "addon/graph_spec.h"
#include "addon/gst_ptr.h"

namespace sightline::addon {

// The GstPipeline under construction: a bin and its elements by node id. Elements are added when
// the graph is built and, for dynamic pads, on streaming threads while it runs.
class Assembly {
 public:
  // `on_added` sees every element before it is linked. It may throw.
  using OnAdded = std::function<void(const NodeSpec&, GstElement*)>;

  Assembly(const std::string& name, OnAdded on_added);
  ~Assembly();

  GstElement* pipeline() const { return pipeline_.get(); }
  // Makes the node's element and puts it into the pipeline. Throws Failure.
  GstElement* Add(const NodeSpec& node);
  // Links two nodes, with a caps filter between where the link has one. Throws Failure.
  void Link(const LinkSpec& link);
  // The node's element, or nullptr while it is not built.
  GstElement* Find(const std::string& node) const;

 private:
  GstElement* Require(const std::string& node, const LinkSpec& link) const;

  Owned<GstElement> pipeline_;
  const OnAdded on_added_;
  mutable std::mutex mutex_;
  std::map<std::string, GstElement*> elements_;  // the pipeline owns them
};

// Caps in few words for errors: names with the fields that tell codecs and formats apart.
std::string DescribeCaps(const GstCaps* caps);

}  // namespace sightline::addon
