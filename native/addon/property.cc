#include "addon/property.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <sstream>

namespace sightline::addon {
namespace {

std::string Print(const PropertyValue& value) {
  std::ostringstream text;
  if (const auto* flag = std::get_if<bool>(&value)) {
    text << (*flag ? "true" : "false");
  } else if (const auto* number = std::get_if<double>(&value)) {
    text.precision(15);
    text << *number;
  } else {
    text << '"' << std::get<std::string>(value) << '"';
  }
  return text.str();
}

[[noreturn]] void Refuse(const PropertyPlace& place, const PropertyValue& value,
                         const std::string& allowed) {
  const std::string shown = place.secret ? "[redacted]" : Print(value);
  throw Failure(kSpecInvalid,
                "Node \"" + place.node + "\" (" + place.factory + "): property \"" +
                    place.property + "\" cannot be " + shown + "; it takes " + allowed,
                {{"node", place.node},
                 {"factory", place.factory},
                 {"property", place.property},
                 {"value", shown},
                 {"allowed", allowed}});
}

template <class Number>
std::string Range(const char* kind, Number low, Number high) {
  std::ostringstream text;
  text.precision(15);
  text << kind << " from " << low << " to " << high;
  return text.str();
}

std::string Nicks(GType enum_type) {
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(g_type_class_ref(enum_type)));
  const auto* klass = reinterpret_cast<GEnumClass*>(hold.get());
  std::string text;
  for (guint i = 0; i < klass->n_values; i++) {
    if (i > 0) text += ", ";
    text += klass->values[i].value_nick;
  }
  return text;
}

std::string FlagNicks(GType flags_type) {
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(g_type_class_ref(flags_type)));
  const auto* klass = reinterpret_cast<GFlagsClass*>(hold.get());
  std::string text;
  for (guint i = 0; i < klass->n_values; i++) {
    if (i > 0) text += ", ";
    text += klass->values[i].value_nick;
  }
  return text;
}

// What the property takes, in words.
std::string Allowed(GParamSpec* spec) {
  if (G_IS_PARAM_SPEC_INT(spec)) {
    return Range("an integer", G_PARAM_SPEC_INT(spec)->minimum, G_PARAM_SPEC_INT(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_UINT(spec)) {
    return Range("an integer", G_PARAM_SPEC_UINT(spec)->minimum, G_PARAM_SPEC_UINT(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_LONG(spec)) {
    return Range("an integer", G_PARAM_SPEC_LONG(spec)->minimum, G_PARAM_SPEC_LONG(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_ULONG(spec)) {
    return Range("an integer", G_PARAM_SPEC_ULONG(spec)->minimum,
                 G_PARAM_SPEC_ULONG(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_INT64(spec)) {
    return Range("an integer", G_PARAM_SPEC_INT64(spec)->minimum,
                 G_PARAM_SPEC_INT64(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_UINT64(spec)) {
    return Range("an integer", G_PARAM_SPEC_UINT64(spec)->minimum,
                 G_PARAM_SPEC_UINT64(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_FLOAT(spec)) {
    return Range("a number", G_PARAM_SPEC_FLOAT(spec)->minimum, G_PARAM_SPEC_FLOAT(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_DOUBLE(spec)) {
    return Range("a number", G_PARAM_SPEC_DOUBLE(spec)->minimum,
                 G_PARAM_SPEC_DOUBLE(spec)->maximum);
  }
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) return "true or false";
  if (G_IS_PARAM_SPEC_STRING(spec)) return "a string";
  if (G_IS_PARAM_SPEC_ENUM(spec)) return "one of " + Nicks(spec->value_type);
  if (G_IS_PARAM_SPEC_FLAGS(spec)) {
    return "any of " + FlagNicks(spec->value_type) + ", joined with \"+\"";
  }
  if (spec->value_type == GST_TYPE_CAPS) return "caps, such as \"video/x-raw,format=RGB\"";
  if (GST_IS_PARAM_SPEC_FRACTION(spec)) return "a fraction, such as \"30/1\"";
  return std::string("no value from outside (its type is ") + g_type_name(spec->value_type) + ")";
}

bool IsWhole(double number) { return std::isfinite(number) && std::trunc(number) == number; }

// `number` as an integer of type Int, or nothing when it has a fraction or does not fit.
template <class Int>
std::optional<Int> ToInteger(double number) {
  // 2^digits is exact as a double, the largest integer may not be.
  const double limit = std::ldexp(1.0, std::numeric_limits<Int>::digits);
  const double low = std::numeric_limits<Int>::is_signed ? -limit : 0.0;
  if (!IsWhole(number) || number < low || number >= limit) return std::nullopt;
  return static_cast<Int>(number);
}

template <class Int, class Setter>
bool SetInteger(GValue* target, const PropertyValue& value, Setter setter) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr) return false;
  const auto integer = ToInteger<Int>(*number);
  if (!integer) return false;
  setter(target, *integer);
  return true;
}

bool SetEnum(GValue* target, const PropertyValue& value) {
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(g_type_class_ref(G_VALUE_TYPE(target))));
  auto* klass = G_ENUM_CLASS(hold.get());
  const GEnumValue* entry = nullptr;
  if (const auto* nick = std::get_if<std::string>(&value)) {
    entry = g_enum_get_value_by_nick(klass, nick->c_str());
  } else if (const auto* number = std::get_if<double>(&value)) {
    const auto integer = ToInteger<gint>(*number);
    if (integer) entry = g_enum_get_value(klass, *integer);
  }
  if (entry == nullptr) return false;
  g_value_set_enum(target, entry->value);
  return true;
}

bool SetFlags(GValue* target, const PropertyValue& value) {
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(g_type_class_ref(G_VALUE_TYPE(target))));
  auto* klass = G_FLAGS_CLASS(hold.get());
  guint mask = 0;
  if (const auto* number = std::get_if<double>(&value)) {
    const auto integer = ToInteger<guint>(*number);
    if (!integer || (*integer & ~klass->mask) != 0) return false;
    mask = *integer;
  } else if (const auto* names = std::get_if<std::string>(&value)) {
    std::istringstream parts(*names);
    for (std::string nick; std::getline(parts, nick, '+');) {
      const GFlagsValue* flag = g_flags_get_value_by_nick(klass, nick.c_str());
      if (flag == nullptr) return false;
      mask |= flag->value;
    }
  } else {
    return false;
  }
  g_value_set_flags(target, mask);
  return true;
}

bool SetCaps(GValue* target, const PropertyValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  const Owned<GstCaps> caps(gst_caps_from_string(text->c_str()));
  if (caps == nullptr) return false;
  gst_value_set_caps(target, caps.get());
  return true;
}

bool SetFraction(GValue* target, const PropertyValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  return text != nullptr && gst_value_deserialize(target, text->c_str());
}

bool SetNumber(GValue* target, const PropertyValue& value) {
  const auto* number = std::get_if<double>(&value);
  if (number == nullptr || !std::isfinite(*number)) return false;
  if (G_VALUE_HOLDS_FLOAT(target)) {
    g_value_set_float(target, static_cast<float>(*number));
  } else {
    g_value_set_double(target, *number);
  }
  return true;
}

// What a number of JavaScript cannot hold comes as it is read: in decimal.
bool SetDecimal(GValue* target, const PropertyValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr) return false;
  guint64 number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size()) return false;
  g_value_set_uint64(target, number);
  return true;
}

bool SetText(GValue* target, const PropertyValue& value) {
  const auto* text = std::get_if<std::string>(&value);
  if (text == nullptr || text->find('\0') != std::string::npos) return false;
  g_value_set_string(target, text->c_str());
  return true;
}

bool SetAny(GValue* target, const PropertyValue& value) {
  switch (G_TYPE_FUNDAMENTAL(G_VALUE_TYPE(target))) {
    case G_TYPE_BOOLEAN:
      if (!std::holds_alternative<bool>(value)) return false;
      g_value_set_boolean(target, std::get<bool>(value));
      return true;
    case G_TYPE_INT:
      return SetInteger<gint>(target, value, g_value_set_int);
    case G_TYPE_UINT:
      return SetInteger<guint>(target, value, g_value_set_uint);
    case G_TYPE_LONG:
      return SetInteger<glong>(target, value, g_value_set_long);
    case G_TYPE_ULONG:
      return SetInteger<gulong>(target, value, g_value_set_ulong);
    case G_TYPE_INT64:
      return SetInteger<gint64>(target, value, g_value_set_int64);
    case G_TYPE_UINT64:
      return SetInteger<guint64>(target, value, g_value_set_uint64) || SetDecimal(target, value);
    case G_TYPE_FLOAT:
    case G_TYPE_DOUBLE:
      return SetNumber(target, value);
    case G_TYPE_STRING:
      return SetText(target, value);
    case G_TYPE_ENUM:
      return SetEnum(target, value);
    case G_TYPE_FLAGS:
      return SetFlags(target, value);
    default:
      if (GST_VALUE_HOLDS_CAPS(target)) return SetCaps(target, value);
      if (GST_VALUE_HOLDS_FRACTION(target)) return SetFraction(target, value);
      return false;
  }
}

}  // namespace

Value ConvertProperty(GParamSpec* spec, const PropertyValue& value, const PropertyPlace& place) {
  Value converted(spec->value_type);
  if (!SetAny(converted.get(), value)) Refuse(place, value, Allowed(spec));
  // True means that it had to change the value, which is GObject's word for out of range.
  if (g_param_value_validate(spec, converted.get())) Refuse(place, value, Allowed(spec));
  return converted;
}

GParamSpec* FindWritable(GObjectClass* klass, const PropertyPlace& place) {
  GParamSpec* spec = g_object_class_find_property(klass, place.property.c_str());
  const Failure::Details details = {
      {"node", place.node}, {"factory", place.factory}, {"property", place.property}};
  const std::string who = "Node \"" + place.node + "\" (" + place.factory + ")";
  if (spec == nullptr) {
    throw Failure(kSpecInvalid,
                  who + " has no property \"" + place.property + "\"; `gst-inspect-1.0 " +
                      place.factory + "` lists what it has",
                  details);
  }
  if ((spec->flags & G_PARAM_WRITABLE) == 0) {
    throw Failure(kSpecInvalid, who + ": property \"" + place.property + "\" can only be read",
                  details);
  }
  return spec;
}

}  // namespace sightline::addon
