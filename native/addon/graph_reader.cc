#include "addon/graph_reader.h"

namespace sightline::addon {
namespace {

[[noreturn]] void WrongType(Napi::Env env, const std::string& path, const char* expected) {
  throw Napi::TypeError::New(env, path + " must be " + expected);
}

Napi::Object ReadObject(const Napi::Value& value, const std::string& path) {
  if (!value.IsObject() || value.IsArray()) WrongType(value.Env(), path, "an object");
  return value.As<Napi::Object>();
}

Napi::Array ReadArray(const Napi::Value& value, const std::string& path) {
  if (!value.IsArray()) WrongType(value.Env(), path, "an array");
  return value.As<Napi::Array>();
}

std::string ReadString(const Napi::Value& value, const std::string& path) {
  if (!value.IsString()) WrongType(value.Env(), path, "a string");
  return value.As<Napi::String>().Utf8Value();
}

// Calls `visit(element, path)` for every element of the array `object[name]`.
template <class Visit>
void ForEach(const Napi::Object& object, const char* name, const std::string& path, Visit&& visit) {
  const std::string here = path + "." + name;
  const Napi::Array array = ReadArray(object.Get(name), here);
  for (uint32_t i = 0; i < array.Length(); i++) {
    visit(Napi::Value(array.Get(i)), here + "[" + std::to_string(i) + "]");
  }
}

std::set<std::string> ReadNames(const Napi::Object& object, const char* name,
                                const std::string& path) {
  std::set<std::string> names;
  if (object.Get(name).IsUndefined()) return names;
  ForEach(object, name, path, [&](const Napi::Value& value, const std::string& at) {
    names.insert(ReadString(value, at));
  });
  return names;
}

NodeSpec ReadNode(const Napi::Value& value, const std::string& path) {
  const Napi::Object object = ReadObject(value, path);
  NodeSpec node;
  node.id = ReadString(object.Get("id"), path + ".id");
  node.factory = ReadString(object.Get("factory"), path + ".factory");
  const Napi::Object properties = ReadObject(object.Get("properties"), path + ".properties");
  const Napi::Array names = properties.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); i++) {
    const std::string name = ReadString(names.Get(i), path + ".properties");
    node.properties.emplace_back(
        name, ReadPropertyValue(properties.Get(name), path + ".properties." + name));
  }
  node.optional = ReadNames(object, "optional", path);
  node.secret = ReadNames(object, "secret", path);
  const Napi::Value kind = object.Get("outputKind");
  if (!kind.IsUndefined()) {
    if (!kind.IsNumber()) WrongType(value.Env(), path + ".outputKind", "a number");
    node.output_kind = kind.As<Napi::Number>().Int32Value();
  }
  return node;
}

LinkSpec ReadLink(const Napi::Value& value, const std::string& path) {
  const Napi::Object object = ReadObject(value, path);
  LinkSpec link;
  link.from = ReadString(object.Get("from"), path + ".from");
  link.to = ReadString(object.Get("to"), path + ".to");
  const Napi::Value caps = object.Get("caps");
  if (!caps.IsUndefined()) link.caps = ReadString(caps, path + ".caps");
  return link;
}

ChoiceSpec ReadChoice(const Napi::Value& value, const std::string& path) {
  const Napi::Object object = ReadObject(value, path);
  ChoiceSpec choice;
  choice.from = ReadString(object.Get("from"), path + ".from");
  choice.to = ReadString(object.Get("to"), path + ".to");
  ForEach(object, "alternatives", path, [&](const Napi::Value& item, const std::string& at) {
    const Napi::Object entry = ReadObject(item, at);
    AlternativeSpec alternative;
    alternative.caps = ReadString(entry.Get("caps"), at + ".caps");
    ForEach(entry, "chain", at, [&](const Napi::Value& node, const std::string& node_at) {
      alternative.chain.push_back(ReadNode(node, node_at));
    });
    if (!entry.Get("links").IsUndefined()) {
      ForEach(entry, "links", at, [&](const Napi::Value& link, const std::string& link_at) {
        alternative.links.push_back(ReadLink(link, link_at));
      });
    }
    choice.alternatives.push_back(std::move(alternative));
  });
  return choice;
}

}  // namespace

GraphSpec ReadGraph(const Napi::Value& value) {
  const Napi::Object object = ReadObject(value, "graph");
  GraphSpec graph;
  graph.id = ReadString(object.Get("id"), "graph.id");
  ForEach(object, "nodes", "graph", [&](const Napi::Value& item, const std::string& at) {
    graph.nodes.push_back(ReadNode(item, at));
  });
  ForEach(object, "links", "graph", [&](const Napi::Value& item, const std::string& at) {
    graph.links.push_back(ReadLink(item, at));
  });
  ForEach(object, "choices", "graph", [&](const Napi::Value& item, const std::string& at) {
    graph.choices.push_back(ReadChoice(item, at));
  });
  return graph;
}

PropertyValue ReadPropertyValue(const Napi::Value& value, const std::string& path) {
  if (value.IsBoolean()) return value.As<Napi::Boolean>().Value();
  if (value.IsNumber()) return value.As<Napi::Number>().DoubleValue();
  if (value.IsString()) return value.As<Napi::String>().Utf8Value();
  WrongType(value.Env(), path, "a string, a number or a boolean");
}

std::vector<std::string> ReadStrings(const Napi::Value& value, const std::string& path) {
  const Napi::Array array = ReadArray(value, path);
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) {
    strings.push_back(ReadString(array.Get(i), path + "[" + std::to_string(i) + "]"));
  }
  return strings;
}

}  // namespace sightline::addon
