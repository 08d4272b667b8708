#include <cstdio>
#include <string>
#include <vector>

#include "core/config/infer_config.h"
#include "core/error.h"

// `infer_keys` prints the keys of nvinfer's file that slinfer and slclassify know, as JSON, for a
// test to hold against nvinfer's own. `infer_keys FILE` reads a configuration as they do: exit code
// 0 and the keys without effect, or 1 and the reason.

namespace {

const char* TypeName(sightline::KeyType type) {
  static const char* const kNames[] = {"int",    "bool",     "float",      "path",
                                       "string", "int list", "float list", "string list"};
  return kNames[static_cast<size_t>(type)];
}

const char* ScopeName(sightline::KeyScope scope) {
  static const char* const kNames[] = {"all", "detector", "classifier"};
  return kNames[static_cast<size_t>(scope)];
}

void Print(const char* name, const std::vector<sightline::InferKey>& keys, const char* end) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < keys.size(); ++i) {
    const sightline::InferKey& key = keys[i];
    const std::string value =
        key.default_value == nullptr ? "null" : "\"" + std::string(key.default_value) + "\"";
    std::printf("%s{\"name\":\"%s\",\"type\":\"%s\",\"default\":%s,\"scope\":\"%s\"}",
                i == 0 ? "" : ",", key.name, TypeName(key.type), value.c_str(),
                ScopeName(key.scope));
  }
  std::printf("]%s", end);
}

void Print(const char* name, const std::vector<const char*>& keys, const char* end) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < keys.size(); ++i) std::printf("%s\"%s\"", i == 0 ? "" : ",", keys[i]);
  std::printf("]%s", end);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::printf("{");
    Print("honoured", sightline::HonouredProperties(), ",");
    Print("withoutEffect", sightline::TensorRtProperties(), ",");
    Print("refused", sightline::RefusedProperties(), ",");
    Print("honouredClassAttrs", sightline::HonouredClassAttrs(), ",");
    Print("refusedClassAttrs", sightline::RefusedClassAttrs(), "}\n");
    return 0;
  }
  try {
    const sightline::InferConfig config = sightline::LoadInferConfig(argv[1]);
    for (const std::string& key : config.without_effect) std::printf("%s\n", key.c_str());
    return 0;
  } catch (const sightline::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
