#include <string>

#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// NVIDIA's sink bins: what comes is thrown away.

namespace sightline::standin {
namespace {

struct Sink {
  GstBin bin;
};
struct SinkClass {
  GstBinClass base;
  const char* name;
};

GstPad* AddPad(GstElement* element, GstPadTemplate* pad_template, const gchar* name) {
  GstElement* inner = gst_element_factory_make("fakesink", nullptr);
  g_object_set(inner, "sync", FALSE, "async", FALSE, nullptr);
  gst_bin_add(GST_BIN(element), inner);
  gst_element_sync_state_with_parent(inner);
  GstPad* target = gst_element_get_static_pad(inner, "sink");
  GstPad* ghost = gst_ghost_pad_new_from_template(name, target, pad_template);
  gst_object_unref(target);
  gst_pad_set_active(ghost, TRUE);
  gst_element_add_pad(element, ghost);
  return ghost;
}

GstPad* RequestPad(GstElement* element, GstPadTemplate* pad_template, const gchar*,
                   const GstCaps*) {
  return AddPad(element, pad_template, GST_PAD_TEMPLATE_NAME_TEMPLATE(pad_template));
}

void ClassInit(gpointer klass, gpointer data) {
  GST_ELEMENT_CLASS(klass)->request_new_pad = RequestPad;
  Dress(GST_ELEMENT_CLASS(klass), RowOf(static_cast<const char*>(data)));
}

void Init(GTypeInstance* instance, gpointer klass) {
  GST_OBJECT_FLAG_SET(instance, GST_ELEMENT_FLAG_SINK);
  GstPadTemplate* sink = gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "sink");
  if (sink != nullptr) AddPad(GST_ELEMENT(instance), sink, "sink");
}

}  // namespace

bool RegisterSinks(GstPlugin* plugin) {
  bool ok = true;
  for (const char* name : {"nvrtspoutsinkbin", "nvvideoencfilesinkbin"}) {
    GTypeInfo info{};
    info.class_size = sizeof(SinkClass);
    info.class_init = ClassInit;
    info.class_data = name;
    info.instance_size = sizeof(Sink);
    info.instance_init = Init;
    const std::string type_name = std::string("StandIn") + name;
    const GType type =
        g_type_register_static(GST_TYPE_BIN, type_name.c_str(), &info, static_cast<GTypeFlags>(0));
    ok = Register(plugin, name, type) && ok;
  }
  return ok;
}

}  // namespace sightline::standin
