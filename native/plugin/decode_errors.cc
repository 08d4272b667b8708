#include "plugin/decode_errors.h"

#include <cstring>
#include <mutex>
#include <utility>

namespace {

constexpr char kCategory[] = "libav";
// libavcodec/error_resilience.c: "concealing %d DC, %d AC, %d MV errors in %c frame", once a
// picture.
constexpr char kConcealing[] = "concealing ";

thread_local guint64 concealed = 0;

void Count(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint,
           GObject*, GstDebugMessage* message, gpointer) noexcept {
  if (level > GST_LEVEL_INFO || std::strcmp(gst_debug_category_get_name(category), kCategory) != 0)
    return;
  if (g_str_has_prefix(gst_debug_message_get(message), kConcealing)) ++concealed;
}

// Libav's lines are at level INFO. Whoever reads more of them keeps that.
void RaiseThreshold() {
  if (gst_debug_get_default_threshold() >= GST_LEVEL_INFO) return;
  GstDebugCategory* category = _gst_debug_get_category(kCategory);
  if (category != nullptr && gst_debug_category_get_threshold(category) >= GST_LEVEL_INFO) return;
  gst_debug_set_threshold_for_name(kCategory, GST_LEVEL_INFO);
}

}  // namespace

void SlWatchDecodeErrors() {
  static std::once_flag once;
  std::call_once(once, [] {
    RaiseThreshold();
    gst_debug_add_log_function(Count, nullptr, nullptr);
  });
}

guint64 SlTakeConcealedPictures() { return std::exchange(concealed, 0); }
