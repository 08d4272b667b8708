#include "addon/buffer_watch.h"

#include <utility>

#include "addon/failure.h"
#include "addon/gst_ptr.h"
#include "addon/json.h"
#include "common/guard.h"

namespace sightline::addon {
namespace {

constexpr auto kBuffers =
    static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);

struct Watched {
  std::shared_ptr<EventQueue> events;
  std::string node;
};

GstPadProbeReturn ReportFirstBuffer(GstPad* pad, GstPadProbeInfo*, gpointer data) {
  return Guard(GST_PAD_PARENT(pad), GST_PAD_PROBE_REMOVE, [&] {
    const auto* watched = static_cast<Watched*>(data);
    watched->events->Push(NodeEvent("first-buffer", watched->node));
    return GST_PAD_PROBE_REMOVE;
  });
}

// Over the bus, so that it comes after the error which it may be a consequence of.
GstPadProbeReturn ReportEnd(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  const Owned<GstElement> element(gst_pad_get_parent_element(pad));
  if (element == nullptr) return GST_PAD_PROBE_OK;
  gst_element_post_message(
      element.get(),
      gst_message_new_application(GST_OBJECT(element.get()), gst_structure_new_empty(kNodeEos)));
  return GST_PAD_PROBE_OK;
}

GstPadProbeReturn Count(GstPad*, GstPadProbeInfo* info, gpointer data) {
  const bool list = (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) != 0;
  const guint more = list ? gst_buffer_list_length(GST_PAD_PROBE_INFO_BUFFER_LIST(info)) : guint{1};
  static_cast<std::shared_ptr<Intake>*>(data)->get()->buffers.fetch_add(more,
                                                                        std::memory_order_relaxed);
  return GST_PAD_PROBE_OK;
}

}  // namespace

std::string NodeEvent(const char* type, const std::string& node) {
  JsonWriter json;
  return json.BeginObject().Key("type").String(type).Key("node").String(node).EndObject().Take();
}

void ReportFlow(GstElement* element, const std::string& node, std::shared_ptr<EventQueue> events) {
  Owned<GstPad> pad(gst_element_get_static_pad(element, "src"));
  if (pad == nullptr) pad = Adopt(gst_element_get_static_pad(element, "sink"));
  if (pad == nullptr) {
    throw Failure(kSpecInvalid, "Node \"" + node + "\" has no pad to watch", {{"node", node}});
  }
  gst_pad_add_probe(pad.get(), kBuffers, ReportFirstBuffer, new Watched{std::move(events), node},
                    [](gpointer data) { delete static_cast<Watched*>(data); });
  gst_pad_add_probe(pad.get(), GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, ReportEnd, nullptr, nullptr);
}

std::shared_ptr<Intake> CountIntake(GstElement* element, const std::string& node) {
  const Owned<GstPad> pad(gst_element_get_static_pad(element, "sink"));
  if (pad == nullptr) return nullptr;
  auto intake = std::make_shared<Intake>();
  intake->node = node;
  gst_pad_add_probe(pad.get(), kBuffers, Count, new std::shared_ptr<Intake>(intake),
                    [](gpointer data) { delete static_cast<std::shared_ptr<Intake>*>(data); });
  return intake;
}

}  // namespace sightline::addon
