#include "tests/stand-in-plugin/table.h"

#include <cstdlib>
#include <cstring>

namespace sightline::standin {
namespace {

#include "standin_table.inc"

}  // namespace

const ElementRow& RowOf(const char* name) {
  for (const ElementRow& row : kElements) {
    if (std::strcmp(row.name, name) == 0) return row;
  }
  g_error("The catalogue has no element %s", name);
}

const char* PlatformFamily() {
  const char* family = std::getenv("STANDIN_PLATFORM");
  return family != nullptr && *family != '\0' ? family : "dgpu";
}

}  // namespace sightline::standin
