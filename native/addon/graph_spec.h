#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <variant>
#include <vector>

// A graph (src/pipeline/graph.ts) as plain C++: read once on the JavaScript thread, built
// elsewhere.
namespace sightline::addon {

using PropertyValue = std::variant<bool, double, std::string>;

struct NodeSpec {
  std::string id;
  std::string factory;
  std::vector<std::pair<std::string, PropertyValue>> properties;
  std::set<std::string> optional;
  std::set<std::string> secret;
  std::optional<int> output_kind;
};

struct LinkSpec {
  std::string from;
  std::string to;
  std::string caps;  // empty: no filter
};

struct AlternativeSpec {
  std::string caps;
  std::vector<NodeSpec> chain;
  std::vector<LinkSpec> links;  // from nodes of the chain, beside it
};

struct ChoiceSpec {
  std::string from;
  std::string to;
  std::vector<AlternativeSpec> alternatives;
};

struct GraphSpec {
  std::string id;
  std::vector<NodeSpec> nodes;
  std::vector<LinkSpec> links;
  std::vector<ChoiceSpec> choices;
};

// Calls `visit` for every node of the graph, also those of dynamic chains.
template <class Visit>
void ForEachNode(const GraphSpec& spec, Visit&& visit) {
  for (const auto& node : spec.nodes) visit(node);
  for (const auto& choice : spec.choices) {
    for (const auto& alternative : choice.alternatives) {
      for (const auto& node : alternative.chain) visit(node);
    }
  }
}

// "node" or "node.pad", taken apart; `pad` is empty for the first.
struct PadName {
  explicit PadName(const std::string& text)
      : node(text.substr(0, text.find('.'))),
        pad(text.find('.') == std::string::npos ? "" : text.substr(text.find('.') + 1)) {}
  const char* pad_or_null() const { return pad.empty() ? nullptr : pad.c_str(); }

  std::string node;
  std::string pad;
};

}  // namespace sightline::addon
