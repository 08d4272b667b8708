#include <gst/base/gstbasetransform.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>

#include "tests/stand-in-plugin/batch.h"
#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// Elements that hand every buffer on: the detector and the tracker write what they are known to
// write, the others only check their files.

namespace sightline::standin {
namespace {

// A key file or any other file that must be there: false with an error on the bus.
bool Require(gpointer element, const char* property, const char* path) {
  if (*path != '\0' && g_file_test(path, G_FILE_TEST_IS_REGULAR)) return true;
  GST_ELEMENT_ERROR(element, RESOURCE, NOT_FOUND, ("%s=%s is not a file", property, path),
                    (nullptr));
  return false;
}

struct KeyFile {
  GKeyFile* file = g_key_file_new();
  ~KeyFile() { g_key_file_free(file); }
};

bool LoadKeys(gpointer element, const char* property, const char* path, GKeyFile* keys) {
  if (!Require(element, property, path)) return false;
  GError* error = nullptr;
  if (g_key_file_load_from_file(keys, path, G_KEY_FILE_NONE, &error)) return true;
  GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS, ("%s: %s", path, error->message), (nullptr));
  g_error_free(error);
  return false;
}

// As nvinfer: relative paths start at the configuration's folder.
std::string PathIn(GKeyFile* keys, const char* key, const char* config) {
  gchar* value = g_key_file_get_string(keys, "property", key, nullptr);
  if (value == nullptr) return "";
  gchar* folder = g_path_get_dirname(config);
  gchar* path =
      g_path_is_absolute(value) ? g_strdup(value) : g_build_filename(folder, value, nullptr);
  const std::string result = path;
  for (gchar* text : {value, folder, path}) g_free(text);
  return result;
}

gboolean StartInfer(GstBaseTransform* base) {
  const Text config(base, "config-file-path");
  KeyFile keys;
  if (!LoadKeys(base, "config-file-path", config.get(), keys.file)) return FALSE;
  const std::string engine = PathIn(keys.file, "model-engine-file", config.get());
  const std::string onnx = PathIn(keys.file, "onnx-file", config.get());
  const bool built = !engine.empty() && g_file_test(engine.c_str(), G_FILE_TEST_IS_REGULAR);
  if (!built && !Require(base, "onnx-file", onnx.c_str())) return FALSE;
  // What the real one spends minutes on.
  if (!built && !engine.empty()) g_file_set_contents(engine.c_str(), "engine", -1, nullptr);
  const std::string labels = PathIn(keys.file, "labelfile-path", config.get());
  if (!labels.empty() && !Require(base, "labelfile-path", labels.c_str())) return FALSE;
  return TRUE;
}

gboolean StartTracker(GstBaseTransform* base) {
  const Text library(base, "ll-lib-file");
  const Text config(base, "ll-config-file");
  if (*library.get() == '\0') {
    GST_ELEMENT_ERROR(base, LIBRARY, SETTINGS, ("ll-lib-file is not set"), (nullptr));
    return FALSE;
  }
  return *config.get() == '\0' || Require(base, "ll-config-file", config.get());
}

gboolean StartAnalytics(GstBaseTransform* base) {
  KeyFile keys;
  return LoadKeys(base, "config-file", Text(base, "config-file").get(), keys.file);
}

// Frames of the process until nvinfer fails, once; STANDIN_INFER_FAIL_AFTER.
std::atomic<int>& FramesToFailure() {
  static std::atomic<int> left([] {
    const char* text = std::getenv("STANDIN_INFER_FAIL_AFTER");
    return text == nullptr ? -1 : std::atoi(text);
  }());
  return left;
}

// Two objects on each frame, which move with it: a person (class 0) to the right, and one of
// class 1.
GstFlowReturn Infer(GstBaseTransform* base, GstBuffer* buffer) {
  const bool primary = NumberOf(base, "process-mode") == 1;
  const auto interval = NumberOf(base, "interval");
  bool fail = false;
  ForEachFrame(BatchOf(buffer), [&](nvds::NvDsFrameMeta* frame) {
    if (FramesToFailure() > 0 && --FramesToFailure() == 0) fail = true;
    if (!primary) return;
    frame->bInferDone = frame->frame_num % (interval + 1) == 0;
    if (!frame->bInferDone) return;
    const float unit = static_cast<float>(frame->pipeline_width != 0 ? frame->pipeline_width
                                                                     : frame->source_frame_width) /
                       100.0F;
    const float x = static_cast<float>(frame->frame_num % 50) * unit;
    const int component = static_cast<int>(NumberOf(base, "unique-id"));
    auto* batch = BatchOf(buffer);
    batch->AddObject(frame, 0, "person", x, unit, 10 * unit, 20 * unit, 0.75F)
        ->unique_component_id = component;
    batch->AddObject(frame, 1, "car", 50 * unit, 10 * unit, 20 * unit, 10 * unit, 0.5F)
        ->unique_component_id = component;
  });
  if (!fail) return GST_FLOW_OK;
  GST_ELEMENT_ERROR(base, STREAM, FAILED, ("The stand-in was told to fail"), (nullptr));
  return GST_FLOW_ERROR;
}

// An id for each object: of its stream and its class.
GstFlowReturn Track(GstBaseTransform*, GstBuffer* buffer) {
  ForEachFrame(BatchOf(buffer), [](nvds::NvDsFrameMeta* frame) {
    for (GList* it = frame->obj_meta_list; it != nullptr; it = it->next) {
      auto* object = static_cast<nvds::NvDsObjectMeta*>(it->data);
      test::DsBatch::Track(
          object, 100U * (frame->pad_index + 1) + static_cast<guint>(object->class_id), 0.9F);
    }
  });
  return GST_FLOW_OK;
}

struct Kind {
  const char* name;
  gboolean (*start)(GstBaseTransform*);
  GstFlowReturn (*frame)(GstBaseTransform*, GstBuffer*);
  // Caps on one side do not bind those on the other.
  bool converts;
};

constexpr Kind kKinds[] = {
    {"nvinfer", StartInfer, Infer, false},       {"nvinferserver", nullptr, Infer, false},
    {"nvtracker", StartTracker, Track, false},   {"nvdsanalytics", StartAnalytics, nullptr, false},
    {"nvdspreprocess", nullptr, nullptr, false}, {"nvdsosd", nullptr, nullptr, false},
    {"nvvideoconvert", nullptr, nullptr, true},  {"nvmultistreamtiler", nullptr, nullptr, true},
};

struct Transform {
  GstBaseTransform base;
};
struct TransformClass {
  GstBaseTransformClass base;
  const Kind* kind;
};

// What the other pad can be: anything it knows, at the size of this one.
GstCaps* AnyFormat(GstBaseTransform* base, GstPadDirection from, GstCaps* caps, GstCaps* filter) {
  GstPadTemplate* other = TemplateOf(base, from == GST_PAD_SINK ? "src" : "sink");
  GstCaps* result = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(caps); i++) {
    GstCaps* some = gst_caps_make_writable(gst_pad_template_get_caps(other));
    for (const char* field : {"width", "height", "framerate"}) {
      const GValue* value = gst_structure_get_value(gst_caps_get_structure(caps, i), field);
      const bool scales = g_str_has_prefix(G_OBJECT_TYPE_NAME(base), "StandInnvmulti");
      if (value != nullptr && !scales) gst_caps_set_value(some, field, value);
    }
    result = gst_caps_merge(result, some);
  }
  // The caps as they are come first: what fits is handed through.
  result = gst_caps_merge(gst_caps_intersect(caps, result), result);
  if (filter == nullptr) return result;
  GstCaps* filtered = gst_caps_intersect_full(result, filter, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(result);
  return filtered;
}

GstCaps* Fixate(GstBaseTransform* base, GstPadDirection, GstCaps* caps, GstCaps* other) {
  other = gst_caps_make_writable(gst_caps_truncate(other));
  GstStructure* structure = gst_caps_get_structure(other, 0);
  gst_structure_fixate_field_nearest_int(structure, "width", 1280);
  gst_structure_fixate_field_nearest_int(structure, "height", 720);
  static_cast<void>(base);
  static_cast<void>(caps);
  return gst_caps_fixate(other);
}

gboolean Start(GstBaseTransform* base) {
  const auto* kind = reinterpret_cast<TransformClass*>(G_OBJECT_GET_CLASS(base))->kind;
  return kind->start == nullptr ? TRUE : kind->start(base);
}

GstFlowReturn Frame(GstBaseTransform* base, GstBuffer* buffer) {
  const auto* kind = reinterpret_cast<TransformClass*>(G_OBJECT_GET_CLASS(base))->kind;
  return kind->frame == nullptr ? GST_FLOW_OK : kind->frame(base, buffer);
}

void ClassInit(gpointer klass, gpointer data) {
  const auto* kind = static_cast<const Kind*>(data);
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  static_cast<TransformClass*>(klass)->kind = kind;
  transform->start = Start;
  transform->transform_ip = Frame;
  // Metadata is written through the batch's own pointer, as NVIDIA's elements do: no copy is
  // needed.
  transform->transform_ip_on_passthrough = TRUE;
  if (kind->converts) {
    transform->transform_caps = AnyFormat;
    transform->fixate_caps = Fixate;
  }
  Dress(GST_ELEMENT_CLASS(klass), RowOf(kind->name));
}

void Init(GTypeInstance* instance, gpointer) {
  auto* base = GST_BASE_TRANSFORM(instance);
  gst_base_transform_set_in_place(base, TRUE);
  gst_base_transform_set_passthrough(base, TRUE);
}

}  // namespace

bool RegisterTransforms(GstPlugin* plugin) {
  bool ok = true;
  for (const Kind& kind : kKinds) {
    GTypeInfo info{};
    info.class_size = sizeof(TransformClass);
    info.class_init = ClassInit;
    info.class_data = &kind;
    info.instance_size = sizeof(Transform);
    info.instance_init = Init;
    const std::string name = std::string("StandIn") + kind.name;
    const GType type = g_type_register_static(GST_TYPE_BASE_TRANSFORM, name.c_str(), &info,
                                              static_cast<GTypeFlags>(0));
    ok = Register(plugin, kind.name, type) && ok;
  }
  return ok;
}

}  // namespace sightline::standin
