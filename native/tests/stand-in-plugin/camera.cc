#include "tests/stand-in-plugin/camera.h"

#include <gst/base/gstpushsrc.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "tests/stand-in-plugin/class.h"

namespace sightline::standin {
namespace {

constexpr gint kWidth = 1280;
constexpr gint kHeight = 720;

struct CameraState {
  std::string uri;
  std::mutex mutex;
  std::condition_variable changed;
  bool unlocked = false;
  bool live = true;
  int fps = 25;
  gint64 pictures = -1;  // of this life; -1: no end
  gint64 given = 0;
  std::string then;
};

struct Camera {
  GstPushSrc base;
  CameraState* state;
};
struct CameraClass {
  GstPushSrcClass base;
};

G_DEFINE_TYPE(Camera, standin_camera, GST_TYPE_PUSH_SRC)

CameraState* StateOf(gpointer object) { return static_cast<Camera*>(object)->state; }

// How often a URI was connected to in this process.
int NextLife(const std::string& uri) {
  static std::mutex mutex;
  static std::map<std::string, int> lives;
  const std::lock_guard<std::mutex> lock(mutex);
  return ++lives[uri];
}

std::string Knob(GstUri* uri, const char* name, const char* fallback) {
  const gchar* value = gst_uri_get_query_value(uri, name);
  return value != nullptr ? value : fallback;
}

bool StartFile(Camera* self, GstUri* uri) {
  CameraState* state = self->state;
  gchar* path = gst_uri_get_path(uri);
  gchar* contents = nullptr;
  gsize size = 0;
  const bool read = g_file_get_contents(path, &contents, &size, nullptr);
  if (!read) {
    GST_ELEMENT_ERROR(self, RESOURCE, NOT_FOUND, ("There is no file %s", path), (nullptr));
  }
  g_free(contents);
  g_free(path);
  state->live = false;
  state->pictures = static_cast<gint64>(size);
  state->then = "end";
  return read;
}

gboolean Start(GstBaseSrc* base) {
  auto* self = reinterpret_cast<Camera*>(base);
  CameraState* state = self->state;
  state->given = 0;
  GstUri* uri = gst_uri_from_string(state->uri.c_str());
  bool ok = true;
  if (g_str_has_prefix(state->uri.c_str(), "file:")) {
    ok = StartFile(self, uri);
  } else {
    const bool dies = NextLife(state->uri) <= std::atoi(Knob(uri, "lives", "1").c_str());
    state->fps = std::atoi(Knob(uri, "fps", "25").c_str());
    state->pictures = dies ? std::atoi(Knob(uri, "pictures", "-1").c_str()) : -1;
    state->then = Knob(uri, "then", "silent");
  }
  gst_uri_unref(uri);
  gst_base_src_set_live(base, state->live);
  return ok;
}

// 401, as rtspsrc reports it: the status is in the details.
void Refuse(GstElement* element) {
  GError* error =
      g_error_new_literal(GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED, "Unauthorized");
  GstStructure* details =
      gst_structure_new("details", "rtsp-status-code", G_TYPE_UINT, 401U, nullptr);
  gst_element_post_message(
      element, gst_message_new_error_with_details(GST_OBJECT(element), error, nullptr, details));
  g_error_free(error);
}

GstFlowReturn End(Camera* self) {
  CameraState* state = self->state;
  if (state->then == "end") return GST_FLOW_EOS;
  if (state->then == "refuse") {
    Refuse(GST_ELEMENT(self));
    return GST_FLOW_ERROR;
  }
  if (state->then == "error") {
    GST_ELEMENT_ERROR(self, RESOURCE, READ, ("The camera broke off"), (nullptr));
    return GST_FLOW_ERROR;
  }
  if (state->then == "decoder") {
    // Not the source's own message: the bin hands it on as it is.
    GstElement* bin = GST_ELEMENT(GST_OBJECT_PARENT(self));
    GST_ELEMENT_ERROR(bin, STREAM, DECODE, ("The decoder gave up"), (nullptr));
    return GST_FLOW_EOS;
  }
  std::unique_lock<std::mutex> lock(state->mutex);
  state->changed.wait(lock, [&] { return state->unlocked; });
  return GST_FLOW_FLUSHING;
}

GstFlowReturn Create(GstPushSrc* base, GstBuffer** buffer) {
  auto* self = reinterpret_cast<Camera*>(base);
  CameraState* state = self->state;
  if (state->pictures >= 0 && state->given >= state->pictures) return End(self);
  if (state->live) {
    std::unique_lock<std::mutex> lock(state->mutex);
    const auto pause = std::chrono::milliseconds(1000 / state->fps);
    if (state->changed.wait_for(lock, pause, [&] { return state->unlocked; })) {
      return GST_FLOW_FLUSHING;
    }
  }
  *buffer = gst_buffer_new_allocate(nullptr, 64, nullptr);
  gst_buffer_memset(*buffer, 0, 0, 64);
  if (!state->live) {
    GST_BUFFER_PTS(*buffer) = static_cast<GstClockTime>(state->given) * 40 * GST_MSECOND;
  }
  state->given++;
  return GST_FLOW_OK;
}

gboolean SetUnlocked(GstBaseSrc* base, bool unlocked) {
  CameraState* state = StateOf(base);
  const std::lock_guard<std::mutex> lock(state->mutex);
  state->unlocked = unlocked;
  state->changed.notify_all();
  return TRUE;
}

gboolean Unlock(GstBaseSrc* base) { return SetUnlocked(base, true); }
gboolean UnlockStop(GstBaseSrc* base) { return SetUnlocked(base, false); }

void Finalize(GObject* object) {
  delete StateOf(object);
  G_OBJECT_CLASS(standin_camera_parent_class)->finalize(object);
}

void standin_camera_init(Camera* self) {
  self->state = new CameraState;
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
  gst_base_src_set_do_timestamp(GST_BASE_SRC(self), TRUE);
}

void standin_camera_class_init(CameraClass* klass) {
  auto* base = GST_BASE_SRC_CLASS(klass);
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  base->start = Start;
  base->unlock = Unlock;
  base->unlock_stop = UnlockStop;
  GST_PUSH_SRC_CLASS(klass)->create = Create;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "Stand-in camera", "Testing",
                                        "A camera that behaves as its URI says", "Sightline");
  const std::string text = "video/x-raw(memory:NVMM),format=NV12,width=" + std::to_string(kWidth) +
                           ",height=" + std::to_string(kHeight) + ",framerate=25/1";
  GstCaps* caps = gst_caps_from_string(text.c_str());
  gst_element_class_add_pad_template(
      GST_ELEMENT_CLASS(klass), gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
  gst_caps_unref(caps);
}

}  // namespace

GstElement* MakeCamera(const char* uri) {
  auto* camera = GST_ELEMENT(g_object_new(standin_camera_get_type(), "name", "src", nullptr));
  StateOf(camera)->uri = uri;
  gst_base_src_set_live(GST_BASE_SRC(camera), !g_str_has_prefix(uri, "file:"));
  gst_base_src_set_do_timestamp(GST_BASE_SRC(camera), !g_str_has_prefix(uri, "file:"));
  return camera;
}

}  // namespace sightline::standin
