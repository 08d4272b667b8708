#include "addon/log_capture.h"

#include <mutex>
#include <utility>
#include <vector>

#include "addon/black_box.h"
#include "addon/json.h"

namespace sightline::addon {
namespace {

constexpr size_t kMaxLines = 50;

// What these say at level INFO goes into the black box: how sources connect, what decoders meet.
constexpr const char* kTellingCategories[] = {"rtspsrc",     "souphttpsrc",  "libav",
                                              "nvurisrcbin", "v4l2videodec", "slinfer"};

struct Line {
  const char* level;
  std::string category;
  std::string element;
  std::string message;
};

struct Store {
  std::mutex mutex;
  std::vector<Line> lines;
  uint64_t dropped = 0;
};

// Never destroyed: GStreamer's threads can log until the process is gone.
Store& Kept() {
  static auto* store = new Store;
  return *store;
}

void Keep(GstDebugCategory* category, GstDebugLevel level, const gchar*, const gchar*, gint,
          GObject* object, GstDebugMessage* message, gpointer) noexcept {
  if (level > GST_LEVEL_INFO) return;
  // GStreamer logs while it holds locks of its own, the object's among them: nothing here may take
  // one, so the name is read plainly and the text is made before ours is held.
  const gchar* name = GST_IS_OBJECT(object) ? GST_OBJECT_NAME(object) : nullptr;
  Line line{level == GST_LEVEL_ERROR ? "error" : "warn", gst_debug_category_get_name(category),
            name == nullptr ? "" : name, gst_debug_message_get(message)};
  NoteInBlackBox(BlackBoxKind::kLog, static_cast<uint8_t>(level),
                 line.category + " " + line.element + ": " + line.message);
  if (level > GST_LEVEL_WARNING) return;
  Store& store = Kept();
  const std::lock_guard<std::mutex> lock(store.mutex);
  if (store.lines.size() < kMaxLines) {
    store.lines.push_back(std::move(line));
  } else {
    store.dropped++;
  }
}

}  // namespace

void CaptureLogs() {
  // Someone who asked for GStreamer's own log by GST_DEBUG keeps it as well.
  if (g_getenv("GST_DEBUG") == nullptr) {
    gst_debug_remove_log_function(gst_debug_log_default);
    gst_debug_set_default_threshold(GST_LEVEL_WARNING);
    for (const char* name : kTellingCategories) {
      gst_debug_set_threshold_for_name(name, GST_LEVEL_INFO);
    }
  }
  gst_debug_add_log_function(Keep, nullptr, nullptr);
}

std::string TakeLogs() {
  Store& store = Kept();
  std::vector<Line> lines;
  uint64_t dropped = 0;
  {
    const std::lock_guard<std::mutex> lock(store.mutex);
    lines = std::exchange(store.lines, {});
    dropped = std::exchange(store.dropped, 0);
  }
  JsonWriter json;
  json.BeginObject().Key("dropped").Uint(dropped).Key("lines").BeginArray();
  for (const auto& line : lines) {
    json.BeginObject().Key("level").String(line.level).Key("category").String(line.category);
    json.Key("element").String(line.element).Key("message").String(line.message).EndObject();
  }
  return json.EndArray().EndObject().Take();
}

}  // namespace sightline::addon
