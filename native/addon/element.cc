#include "addon/element.h"

#include <algorithm>
#include <vector>

#include "addon/failure.h"
#include "addon/property.h"

namespace sightline::addon {
namespace {

bool IsValidId(const std::string& id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](unsigned char c) {
    return g_ascii_isalnum(static_cast<gchar>(c)) || c == '_' || c == '-';
  });
}

// The factory with its plugin loaded, so that its type is known.
Owned<GstElementFactory> LoadFactory(const NodeSpec& node) {
  const Failure::Details details = {{"node", node.id}, {"factory", node.factory}};
  const Owned<GstElementFactory> found(gst_element_factory_find(node.factory.c_str()));
  if (found == nullptr) {
    throw Failure(kBackendUnsupported,
                  "Node \"" + node.id + "\": GStreamer has no element \"" + node.factory +
                      "\" here; `sightline doctor` names the package that brings it",
                  details);
  }
  auto* loaded = gst_plugin_feature_load(GST_PLUGIN_FEATURE(found.get()));
  if (loaded == nullptr) {
    throw Failure(kBackendUnsupported,
                  "Node \"" + node.id + "\": the plugin of element \"" + node.factory +
                      "\" cannot be loaded; `gst-inspect-1.0 " + node.factory + "` says why",
                  details);
  }
  return Adopt(GST_ELEMENT_FACTORY(loaded));
}

PropertyPlace Place(const NodeSpec& node, const std::string& property) {
  return {node.id, node.factory, property, node.secret.count(property) > 0};
}

}  // namespace

Owned<GstElement> MakeElement(const NodeSpec& node) {
  if (!IsValidId(node.id)) {
    throw Failure(kSpecInvalid,
                  "Node id \"" + node.id + "\" may hold only letters, digits, \"_\" and \"-\"",
                  {{"node", node.id}});
  }
  const auto factory = LoadFactory(node);
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(
      g_type_class_ref(gst_element_factory_get_element_type(factory.get()))));
  auto* klass = G_OBJECT_CLASS(hold.get());

  // Everything is converted before the element exists: construct-only properties need their value
  // then.
  std::vector<const char*> names = {"name"};
  std::vector<Value> values;
  values.emplace_back(G_TYPE_STRING);
  g_value_set_string(values.back().get(), node.id.c_str());
  for (const auto& [name, value] : node.properties) {
    if (name == "name") {
      throw Failure(kSpecInvalid, "Node \"" + node.id + "\": an element is named by its node's id",
                    {{"node", node.id}, {"property", name}});
    }
    const bool known = g_object_class_find_property(klass, name.c_str()) != nullptr;
    if (!known && node.optional.count(name) > 0) continue;
    const auto place = Place(node, name);
    values.push_back(ConvertProperty(FindWritable(klass, place), value, place));
    names.push_back(name.c_str());
  }

  std::vector<GValue> plain;
  for (const auto& value : values) plain.push_back(*value.get());  // borrowed for the call
  GstElement* element = gst_element_factory_create_with_properties(
      factory.get(), static_cast<guint>(plain.size()), names.data(), plain.data());
  if (element == nullptr) {
    throw Failure(kPipelineFailed,
                  "Node \"" + node.id + "\": element \"" + node.factory + "\" cannot be created",
                  {{"node", node.id}, {"factory", node.factory}});
  }
  return Sink(element);
}

std::optional<Value> ConvertForNode(const NodeSpec& node, const std::string& property,
                                    const PropertyValue& value) {
  const auto factory = LoadFactory(node);
  const Owned<GTypeClass> hold(static_cast<GTypeClass*>(
      g_type_class_ref(gst_element_factory_get_element_type(factory.get()))));
  auto* klass = G_OBJECT_CLASS(hold.get());
  const bool known = g_object_class_find_property(klass, property.c_str()) != nullptr;
  if (!known && node.optional.count(property) > 0) return std::nullopt;
  const auto place = Place(node, property);
  GParamSpec* spec = FindWritable(klass, place);
  if ((spec->flags & G_PARAM_CONSTRUCT_ONLY) != 0 || property == "name") {
    throw Failure(kSpecInvalid,
                  "Node \"" + node.id + "\" (" + node.factory + "): property \"" + property +
                      "\" can only be set when the element is made",
                  {{"node", node.id}, {"factory", node.factory}, {"property", property}});
  }
  return ConvertProperty(spec, value, place);
}

}  // namespace sightline::addon
