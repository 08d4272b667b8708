#include <gst/gst.h>
// NVIDIA's headers come first and stand in the global namespace; ours in sightline::nvds.
#include <gstnvdsmeta.h>
#include <nvds_analytics_meta.h>
#include <nvds_tracker_meta.h>
#include <nvdsinfer_custom_impl.h>
#include <nvdsmeta.h>

#include <cstddef>
#include <type_traits>

#include "deepstream/abi/analytics.h"
#include "deepstream/abi/gst_meta.h"
#include "deepstream/abi/infer.h"
#include "deepstream/abi/meta.h"
#include "deepstream/abi/tracker.h"

// Built where DeepStream's headers are (DEEPSTREAM_ROOT): every struct's size, every field's
// offset, size and type, every constant and every function's signature, ours against theirs.

#pragma GCC diagnostic ignored "-Winvalid-offsetof"

namespace ours = sightline::nvds;

namespace {

// Whether two types mean the same bytes: the same type; pointers or functions of any kind; enums or
// integers of one size; structs of one size (whose fields have rows of their own); arrays of such.
template <class A, class B>
constexpr bool SameKind() {
  if constexpr (std::is_same_v<A, B>) {
    return true;
  } else if constexpr (std::is_array_v<A> && std::is_array_v<B>) {
    return std::extent_v<A> == std::extent_v<B> &&
           SameKind<std::remove_extent_t<A>, std::remove_extent_t<B>>();
  } else if constexpr (std::is_pointer_v<A> && std::is_pointer_v<B>) {
    using To = std::remove_cv_t<std::remove_pointer_t<A>>;
    using From = std::remove_cv_t<std::remove_pointer_t<B>>;
    // Pointers to numbers are read through: those must be the same numbers.
    if constexpr (std::is_arithmetic_v<To> || std::is_arithmetic_v<From>) {
      return std::is_same_v<To, From>;
    } else {
      return std::is_function_v<To> == std::is_function_v<From>;
    }
  } else if constexpr (std::is_enum_v<A> && std::is_enum_v<B>) {
    return sizeof(A) == sizeof(B) && std::is_signed_v<std::underlying_type_t<A>> ==
                                         std::is_signed_v<std::underlying_type_t<B>>;
  } else {
    return std::is_class_v<A> && std::is_class_v<B> && sizeof(A) == sizeof(B);
  }
}

}  // namespace

#define ABI_SIZE(type, size)                                          \
  static_assert(sizeof(::type) == (size), "sizeof " #type " theirs"); \
  static_assert(sizeof(ours::type) == (size), "sizeof " #type " ours");
#define ABI_OFFSET(type, field, offset)                                                           \
  static_assert(offsetof(::type, field) == (offset), "offsetof " #type "." #field " theirs");     \
  static_assert(offsetof(ours::type, field) == (offset), "offsetof " #type "." #field " ours");   \
  static_assert(sizeof(::type::field) == sizeof(ours::type::field), "size of " #type "." #field); \
  static_assert(SameKind<decltype(::type::field), decltype(ours::type::field)>(),                 \
                "type of " #type "." #field);
#define ABI_ENUM(name, value)                                          \
  static_assert(static_cast<int>(::name) == (value), #name " theirs"); \
  static_assert(static_cast<int>(ours::name) == (value), #name " ours");
#include <abi_facts.inc>

// The functions that are looked up by name, and the one nvinfer looks up in our library.
static_assert(
    std::is_same_v<decltype(&::gst_buffer_get_nvds_batch_meta), ::NvDsBatchMeta* (*)(GstBuffer*)>);
static_assert(std::is_same_v<decltype(&::nvds_acquire_meta_lock), void (*)(::NvDsBatchMeta*)>);
static_assert(std::is_same_v<decltype(&::nvds_release_meta_lock), void (*)(::NvDsBatchMeta*)>);
static_assert(
    std::is_same_v<::NvDsInferParseCustomFunc,
                   bool (*)(const std::vector<::NvDsInferLayerInfo>&, const ::NvDsInferNetworkInfo&,
                            const ::NvDsInferParseDetectionParams&,
                            std::vector<::NvDsInferObjectDetectionInfo>&)>);
