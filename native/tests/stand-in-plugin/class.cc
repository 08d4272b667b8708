#include "tests/stand-in-plugin/class.h"

#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

namespace sightline::standin {
namespace {

constexpr auto kFlags = static_cast<GParamFlags>(G_PARAM_STATIC_STRINGS);

GQuark ValuesQuark() { return g_quark_from_static_string("standin-values"); }

bool Is(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

template <class T>
T Number(const char* text, T fallback) {
  if (text == nullptr) return fallback;
  if (std::is_signed_v<T>) return static_cast<T>(std::strtoll(text, nullptr, 10));
  return static_cast<T>(std::strtoull(text, nullptr, 10));
}

GType EnumType(const ElementRow& element, const PropertyRow& row) {
  std::string name = std::string("StandIn-") + element.name + "-" + row.name;
  const GType known = g_type_from_name(name.c_str());
  return known != 0 ? known : g_enum_register_static(name.c_str(), row.values);
}

GParamSpec* MakeSpec(const ElementRow& element, const PropertyRow& row) {
  int flags = kFlags;
  if (std::strchr(row.access, 'r') != nullptr) flags |= G_PARAM_READABLE;
  if (std::strchr(row.access, 'w') != nullptr) flags |= G_PARAM_WRITABLE;
  const auto f = static_cast<GParamFlags>(flags);
  const char* n = row.name;
  const char* d = row.fallback;
  if (Is(row.type, "boolean")) {
    return g_param_spec_boolean(n, n, n, d != nullptr && Is(d, "true"), f);
  }
  if (Is(row.type, "int")) {
    const gint min = Number<gint>(row.min, G_MININT);
    return g_param_spec_int(n, n, n, min, Number<gint>(row.max, G_MAXINT),
                            Number<gint>(d, std::max(min, 0)), f);
  }
  if (Is(row.type, "uint")) {
    const guint min = Number<guint>(row.min, 0);
    return g_param_spec_uint(n, n, n, min, Number<guint>(row.max, G_MAXUINT), Number<guint>(d, min),
                             f);
  }
  if (Is(row.type, "int64")) {
    return g_param_spec_int64(n, n, n, Number<gint64>(row.min, G_MININT64),
                              Number<gint64>(row.max, G_MAXINT64), Number<gint64>(d, 0), f);
  }
  if (Is(row.type, "uint64")) {
    const guint64 min = Number<guint64>(row.min, 0);
    return g_param_spec_uint64(n, n, n, min, Number<guint64>(row.max, G_MAXUINT64),
                               Number<guint64>(d, min), f);
  }
  if (Is(row.type, "enum") && row.values != nullptr) {
    return g_param_spec_enum(n, n, n, EnumType(element, row), Number<gint>(d, row.values[0].value),
                             f);
  }
  if (Is(row.type, "string")) return g_param_spec_string(n, n, n, d, f);
  return g_param_spec_pointer(n, n, n, f);
}

struct Values {
  std::vector<GValue> list;
  ~Values() {
    for (GValue& value : list) {
      if (G_IS_VALUE(&value)) g_value_unset(&value);
    }
  }
};

GValue* ValueOf(GObject* object, guint id) {
  auto* values = static_cast<Values*>(g_object_get_qdata(object, ValuesQuark()));
  if (values == nullptr) {
    values = new Values;
    g_object_set_qdata_full(object, ValuesQuark(), values,
                            [](gpointer data) { delete static_cast<Values*>(data); });
  }
  if (values->list.size() <= id) values->list.resize(id + 1, G_VALUE_INIT);
  return &values->list[id];
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  GST_OBJECT_LOCK(object);
  GValue* kept = ValueOf(object, id);
  if (!G_IS_VALUE(kept)) g_value_init(kept, G_VALUE_TYPE(value));
  g_value_copy(value, kept);
  GST_OBJECT_UNLOCK(object);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  GST_OBJECT_LOCK(object);
  const GValue* kept = ValueOf(object, id);
  if (G_IS_VALUE(kept)) {
    g_value_copy(kept, value);
  } else {
    g_param_value_set_default(spec, value);
  }
  GST_OBJECT_UNLOCK(object);
}

void AddPads(GstElementClass* klass, const ElementRow& row) {
  const bool jetson = Is(PlatformFamily(), "jetson");
  for (std::size_t i = 0; i < row.pad_count; i++) {
    const PadRow& pad = row.pads[i];
    const char* text = jetson ? pad.caps_jetson : pad.caps_dgpu;
    GstCaps* caps = text == nullptr ? gst_caps_new_any() : gst_caps_from_string(text);
    if (caps == nullptr)
      g_error("%s.%s: the catalogue's caps are none: %s", row.name, pad.name, text);
    const auto direction = Is(pad.direction, "src") ? GST_PAD_SRC : GST_PAD_SINK;
    const auto presence = Is(pad.presence, "always")    ? GST_PAD_ALWAYS
                          : Is(pad.presence, "request") ? GST_PAD_REQUEST
                                                        : GST_PAD_SOMETIMES;
    gst_element_class_add_pad_template(klass,
                                       gst_pad_template_new(pad.name, direction, presence, caps));
    gst_caps_unref(caps);
  }
}

}  // namespace

void Dress(GstElementClass* klass, const ElementRow& row) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->get_property = GetProperty;
  gst_element_class_set_metadata(klass, row.name, "Testing",
                                 "STAND-IN for NVIDIA's element of this name: it computes nothing",
                                 "Sightline's tests");
  AddPads(klass, row);
  for (std::size_t i = 0; i < row.property_count; i++) {
    const PropertyRow& property = row.properties[i];
    const bool has = property.on == nullptr || Is(property.on, PlatformFamily());
    if (!has || g_object_class_find_property(object, property.name) != nullptr) continue;
    g_object_class_install_property(object, static_cast<guint>(i + 1), MakeSpec(row, property));
  }
}

GstPadTemplate* TemplateOf(gpointer element, const char* name) {
  return gst_element_class_get_pad_template(GST_ELEMENT_GET_CLASS(element), name);
}

gint64 NumberOf(gpointer element, const char* name) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), name);
  if (spec == nullptr) return 0;
  GValue value = G_VALUE_INIT;
  GValue number = G_VALUE_INIT;
  g_value_init(&value, spec->value_type);
  g_value_init(&number, G_TYPE_INT64);
  g_object_get_property(G_OBJECT(element), name, &value);
  gint64 result = 0;
  if (g_value_transform(&value, &number)) result = g_value_get_int64(&number);
  g_value_unset(&value);
  return result;
}

Text::Text(gpointer element, const char* name) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), name) == nullptr) return;
  g_object_get(element, name, &text_, nullptr);
}

bool Register(GstPlugin* plugin, const char* name, GType type) {
  return gst_element_register(plugin, name, GST_RANK_NONE, type) != FALSE;
}

}  // namespace sightline::standin
