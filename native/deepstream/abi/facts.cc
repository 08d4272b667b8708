#include <cstddef>

#include "deepstream/abi/analytics.h"
#include "deepstream/abi/gst_meta.h"
#include "deepstream/abi/infer.h"
#include "deepstream/abi/meta.h"
#include "deepstream/abi/tracker.h"

// Our declarations against the numbers of abi-9.1.tsv (CMake turns its rows into abi_facts.inc).
// They are those of 64-bit Linux with libstdc++'s new ABI, the only place where DeepStream runs.

// A struct with a reference or containers is laid out as written by every compiler we build with.
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace sightline::nvds {

#define ABI_SIZE(type, size) static_assert(sizeof(type) == (size), #type);
#define ABI_OFFSET(type, field, offset) \
  static_assert(offsetof(type, field) == (offset), #type "." #field);
#define ABI_ENUM(name, value) static_assert(static_cast<int>(name) == (value), #name);
#include <abi_facts.inc>

}  // namespace sightline::nvds
