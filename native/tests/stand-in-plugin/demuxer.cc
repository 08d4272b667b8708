#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "tests/stand-in-plugin/batch.h"
#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// nvstreamdemux: each frame of a batch leaves at the pad of its stream, alone.

namespace sightline::standin {
namespace {

struct Demux {
  GstElement element;
  GstPad* sink;
};
struct DemuxClass {
  GstElementClass base;
};

std::string PadOf(guint index) { return "src_" + std::to_string(index); }

// A batch of this frame alone.
std::unique_ptr<test::DsBatch> Alone(const nvds::NvDsFrameMeta& frame) {
  auto batch = std::make_unique<test::DsBatch>();
  CopyFrame(frame, batch.get());
  return batch;
}

GstFlowReturn Chain(GstPad*, GstObject* parent, GstBuffer* buffer) {
  GstFlowReturn flow = GST_FLOW_OK;
  ForEachFrame(BatchOf(buffer), [&](nvds::NvDsFrameMeta* frame) {
    GstPad* pad = gst_element_get_static_pad(GST_ELEMENT(parent), PadOf(frame->pad_index).c_str());
    // A stream without a pad is dropped.
    if (pad == nullptr) return;
    GstBuffer* single = gst_buffer_new_allocate(nullptr, 64, nullptr);
    GST_BUFFER_PTS(single) = frame->buf_pts;
    Attach(single, Alone(*frame));
    const GstFlowReturn result = gst_pad_push(pad, single);
    if (result != GST_FLOW_OK) flow = result;
    gst_object_unref(pad);
  });
  gst_buffer_unref(buffer);
  return flow;
}

GstPad* RequestPad(GstElement* element, GstPadTemplate* pad_template, const gchar* name,
                   const GstCaps*) {
  if (name == nullptr || std::strncmp(name, "src_", 4) != 0) return nullptr;
  GstPad* pad = gst_pad_new_from_template(pad_template, name);
  gst_pad_use_fixed_caps(pad);
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element, pad);
  return pad;
}

void ClassInit(gpointer klass, gpointer) {
  GST_ELEMENT_CLASS(klass)->request_new_pad = RequestPad;
  const char* chosen = std::getenv("USE_NEW_NVSTREAMMUX");
  const bool is_new = chosen != nullptr && std::strcmp(chosen, "yes") == 0;
  Dress(GST_ELEMENT_CLASS(klass), RowOf(is_new ? "nvstreamdemux-new" : "nvstreamdemux"));
}

void Init(GTypeInstance* instance, gpointer klass) {
  auto* self = reinterpret_cast<Demux*>(instance);
  self->sink = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "sink"), "sink");
  gst_pad_set_chain_function(self->sink, Chain);
  GST_PAD_SET_PROXY_CAPS(self->sink);
  gst_element_add_pad(GST_ELEMENT(self), self->sink);
}

}  // namespace

bool RegisterDemuxer(GstPlugin* plugin) {
  GTypeInfo info{};
  info.class_size = sizeof(DemuxClass);
  info.class_init = ClassInit;
  info.instance_size = sizeof(Demux);
  info.instance_init = Init;
  const GType type =
      g_type_register_static(GST_TYPE_ELEMENT, "StandInDemux", &info, static_cast<GTypeFlags>(0));
  return Register(plugin, "nvstreamdemux", type);
}

}  // namespace sightline::standin
