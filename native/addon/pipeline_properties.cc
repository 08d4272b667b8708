#include <optional>
#include <utility>

#include "addon/element.h"
#include "addon/failure.h"
#include "addon/gvalue_json.h"
#include "addon/json.h"
#include "addon/pipeline.h"

namespace sightline::addon {

void Pipeline::GetProperties(uint32_t request, std::vector<PropertyPath> paths) {
  Run(request, [this, paths = std::move(paths)] { return GetPropertiesNow(paths); });
}

std::string Pipeline::GetPropertiesNow(const std::vector<PropertyPath>& paths) {
  JsonWriter json;
  json.BeginArray();
  for (const auto& [node_id, property] : paths) {
    const NodeSpec& node = RequireNode(node_id);
    RequireBuilt();
    GstElement* element = assembly_->Find(node_id);
    if (element == nullptr) {
      json.Null();
      continue;
    }
    GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(element), property.c_str());
    if (spec == nullptr || (spec->flags & G_PARAM_READABLE) == 0) {
      throw Failure(kSpecInvalid,
                    "Node \"" + node_id + "\" (" + node.factory + ") has no readable property \"" +
                        property + "\"",
                    {{"node", node_id}, {"factory", node.factory}, {"property", property}});
    }
    if (node.secret.count(property) > 0) {
      json.String("[redacted]");
      continue;
    }
    Value value(spec->value_type);
    g_object_get_property(G_OBJECT(element), property.c_str(), value.get());
    WriteValue(&json, value.get());
  }
  return json.EndArray().Take();
}

void Pipeline::SetProperties(uint32_t request, std::vector<PropertyChange> changes) {
  Run(request, [this, changes = std::move(changes)] { return SetPropertiesNow(changes); });
}

std::string Pipeline::SetPropertiesNow(const std::vector<PropertyChange>& changes) {
  RequireBuilt();
  std::vector<std::optional<Value>> values;
  for (const auto& change : changes) {
    values.push_back(ConvertForNode(RequireNode(change.node), change.property, change.value));
  }
  JsonWriter json;
  json.BeginArray();
  for (size_t i = 0; i < changes.size(); i++) {
    const PropertyPath path(changes[i].node, changes[i].property);
    if (!values[i]) {
      json.Bool(false);
      continue;
    }
    GValue* value = values[i]->get();
    {
      // Noted before the element is looked for: one that is added meanwhile finds the note.
      Value copy(G_VALUE_TYPE(value));
      g_value_copy(value, copy.get());
      const std::lock_guard<std::mutex> lock(changes_mutex_);
      changes_.erase(path);
      changes_.emplace(path, std::move(copy));
    }
    GstElement* element = assembly_->Find(path.first);
    if (element != nullptr) g_object_set_property(G_OBJECT(element), path.second.c_str(), value);
    json.Bool(element != nullptr);
  }
  return json.EndArray().Take();
}

void Pipeline::ApplyChanges(const NodeSpec& node, GstElement* element) {
  const std::lock_guard<std::mutex> lock(changes_mutex_);
  for (const auto& [path, value] : changes_) {
    if (path.first != node.id) continue;
    g_object_set_property(G_OBJECT(element), path.second.c_str(), value.get());
  }
}

}  // namespace sightline::addon
