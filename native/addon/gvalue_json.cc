#include "addon/gvalue_json.h"

#include "addon/gst_ptr.h"

namespace sightline::addon {
namespace {

void WriteEnum(JsonWriter* json, const GValue* value) {
  auto* klass = static_cast<GTypeClass*>(g_type_class_ref(G_VALUE_TYPE(value)));
  Owned<GTypeClass> hold(klass);
  const GEnumValue* entry = g_enum_get_value(G_ENUM_CLASS(klass), g_value_get_enum(value));
  if (entry != nullptr) {
    json->String(entry->value_nick);
  } else {
    json->Int(g_value_get_enum(value));
  }
}

void WriteFlags(JsonWriter* json, const GValue* value) {
  auto* klass = static_cast<GTypeClass*>(g_type_class_ref(G_VALUE_TYPE(value)));
  Owned<GTypeClass> hold(klass);
  guint left = g_value_get_flags(value);
  std::string text;
  while (left != 0) {
    const GFlagsValue* flag = g_flags_get_first_value(G_FLAGS_CLASS(klass), left);
    if (flag == nullptr) break;
    if (!text.empty()) text += '+';
    text += flag->value_nick;
    left &= ~flag->value;
  }
  json->String(text);
}

void WriteList(JsonWriter* json, const GValue* value) {
  const bool is_array = GST_VALUE_HOLDS_ARRAY(value);
  const guint size = is_array ? gst_value_array_get_size(value) : gst_value_list_get_size(value);
  json->BeginArray();
  for (guint i = 0; i < size; i++) {
    WriteValue(json,
               is_array ? gst_value_array_get_value(value, i) : gst_value_list_get_value(value, i));
  }
  json->EndArray();
}

void WriteSerialised(JsonWriter* json, const GValue* value) {
  const Owned<gchar> text(gst_value_serialize(value));
  json->StringOrNull(text.get());
}

gboolean WriteField(GQuark name, const GValue* value, gpointer json) {
  static_cast<JsonWriter*>(json)->Key(g_quark_to_string(name));
  WriteValue(static_cast<JsonWriter*>(json), value);
  return TRUE;
}

}  // namespace

void WriteValue(JsonWriter* json, const GValue* value) {
  switch (G_TYPE_FUNDAMENTAL(G_VALUE_TYPE(value))) {
    case G_TYPE_BOOLEAN:
      json->Bool(g_value_get_boolean(value));
      return;
    case G_TYPE_INT:
      json->Int(g_value_get_int(value));
      return;
    case G_TYPE_UINT:
      json->Uint(g_value_get_uint(value));
      return;
    case G_TYPE_LONG:
      json->Int(g_value_get_long(value));
      return;
    case G_TYPE_ULONG:
      json->Uint(g_value_get_ulong(value));
      return;
    case G_TYPE_INT64:
      json->Int(g_value_get_int64(value));
      return;
    case G_TYPE_UINT64:
      json->Uint(g_value_get_uint64(value));
      return;
    case G_TYPE_FLOAT:
      json->Double(static_cast<double>(g_value_get_float(value)));
      return;
    case G_TYPE_DOUBLE:
      json->Double(g_value_get_double(value));
      return;
    case G_TYPE_STRING:
      json->StringOrNull(g_value_get_string(value));
      return;
    case G_TYPE_ENUM:
      WriteEnum(json, value);
      return;
    case G_TYPE_FLAGS:
      WriteFlags(json, value);
      return;
    default:
      break;
  }
  if (GST_VALUE_HOLDS_STRUCTURE(value)) {
    const GstStructure* structure = gst_value_get_structure(value);
    if (structure == nullptr) {
      json->Null();
    } else {
      WriteStructure(json, structure);
    }
  } else if (GST_VALUE_HOLDS_ARRAY(value) || GST_VALUE_HOLDS_LIST(value)) {
    WriteList(json, value);
  } else if (G_VALUE_HOLDS_BOXED(value) && g_value_get_boxed(value) == nullptr) {
    json->Null();
  } else if (GST_VALUE_HOLDS_CAPS(value)) {
    const Owned<gchar> text(gst_caps_to_string(gst_value_get_caps(value)));
    json->String(text.get());
  } else {
    WriteSerialised(json, value);
  }
}

void WriteStructure(JsonWriter* json, const GstStructure* structure) {
  json->BeginObject();
  json->Key("name").String(gst_structure_get_name(structure));
  json->Key("fields").BeginObject();
  gst_structure_foreach(structure, WriteField, json);
  json->EndObject().EndObject();
}

}  // namespace sightline::addon
