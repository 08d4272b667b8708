#include "addon/assembly.h"

#include <utility>

#include "addon/element.h"
#include "addon/failure.h"
#include "addon/main_loop.h"

namespace sightline::addon {
namespace {

// What the pads of `element` in `direction` can do, for the error of a failed link.
std::string DescribePads(GstElement* element, GstPadDirection direction) {
  const auto caps = Adopt(gst_caps_new_empty());
  for (const GList* it = direction == GST_PAD_SRC ? element->srcpads : element->sinkpads;
       it != nullptr; it = it->next) {
    gst_caps_append(caps.get(), gst_pad_query_caps(GST_PAD(it->data), nullptr));
  }
  return gst_caps_is_empty(caps.get()) ? "nothing" : DescribeCaps(caps.get());
}

}  // namespace

Assembly::Assembly(const std::string& name, OnAdded on_added)
    : pipeline_(Sink(gst_pipeline_new(name.c_str()))), on_added_(std::move(on_added)) {}

Assembly::~Assembly() { ReleaseOnMainLoop(std::move(pipeline_)); }

GstElement* Assembly::Add(const NodeSpec& node) {
  const auto element = MakeElement(node);
  if (!gst_bin_add(GST_BIN(pipeline_.get()), element.get())) {
    throw Failure(kSpecInvalid, "Node id \"" + node.id + "\" is used twice in the graph",
                  {{"node", node.id}});
  }
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    elements_[node.id] = element.get();
  }
  on_added_(node, element.get());
  return element.get();
}

void Assembly::Link(const LinkSpec& link) {
  const PadName from(link.from);
  const PadName to(link.to);
  GstElement* source = Require(from.node, link);
  GstElement* target = Require(to.node, link);
  Owned<GstCaps> caps;
  if (!link.caps.empty()) {
    caps = Adopt(gst_caps_from_string(link.caps.c_str()));
    if (caps == nullptr) {
      throw Failure(kSpecInvalid, "Link " + link.from + " -> " + link.to + ": \"" + link.caps +
                                      "\" is not a caps description");
    }
  }
  if (!gst_element_link_pads_filtered(source, from.pad_or_null(), target, to.pad_or_null(),
                                      caps.get())) {
    throw Failure(kSpecInvalid,
                  "Cannot link " + link.from + " to " + link.to +
                      (link.caps.empty() ? "" : " with caps " + link.caps) + ": the first gives " +
                      DescribePads(source, GST_PAD_SRC) + ", the second takes " +
                      DescribePads(target, GST_PAD_SINK),
                  {{"from", link.from}, {"to", link.to}});
  }
}

GstElement* Assembly::Find(const std::string& node) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto found = elements_.find(node);
  return found == elements_.end() ? nullptr : found->second;
}

GstElement* Assembly::Require(const std::string& node, const LinkSpec& link) const {
  GstElement* element = Find(node);
  if (element == nullptr) {
    throw Failure(kSpecInvalid,
                  "Link " + link.from + " -> " + link.to + ": there is no node \"" + node + "\"",
                  {{"from", link.from}, {"to", link.to}});
  }
  return element;
}

std::string DescribeCaps(const GstCaps* caps) {
  if (caps == nullptr || gst_caps_is_empty(caps)) return "nothing";
  if (gst_caps_is_any(caps)) return "anything";
  std::string text;
  for (guint i = 0; i < gst_caps_get_size(caps); i++) {
    const GstStructure* structure = gst_caps_get_structure(caps, i);
    std::string entry = gst_structure_get_name(structure);
    for (const char* field : {"media", "encoding-name", "stream-format", "format"}) {
      const char* value = gst_structure_get_string(structure, field);
      if (value != nullptr) entry += std::string(",") + field + "=" + value;
    }
    if (text.find(entry) != std::string::npos) continue;
    text += (text.empty() ? "" : " or ") + entry;
  }
  return text;
}

}  // namespace sightline::addon
