#pragma once

#include <gst/gst.h>

#include <memory>

// Ownership of GLib and GStreamer references. The maker's name says who owned the reference before:
// Adopt takes a full one over, Ref adds one, Sink takes a floating one.
namespace sightline::addon {

struct Unref {
  void operator()(GstElement* it) const { gst_object_unref(it); }
  void operator()(GstElementFactory* it) const { gst_object_unref(it); }
  void operator()(GstPad* it) const { gst_object_unref(it); }
  void operator()(GstObject* it) const { gst_object_unref(it); }
  void operator()(GstBus* it) const { gst_object_unref(it); }
  void operator()(GstCaps* it) const { gst_caps_unref(it); }
  void operator()(GstBuffer* it) const { gst_buffer_unref(it); }
  void operator()(GstSample* it) const { gst_sample_unref(it); }
  void operator()(GstMessage* it) const { gst_message_unref(it); }
  void operator()(GError* it) const { g_error_free(it); }
  void operator()(GMainContext* it) const { g_main_context_unref(it); }
  void operator()(GMainLoop* it) const { g_main_loop_unref(it); }
  void operator()(GSource* it) const { g_source_unref(it); }
  void operator()(gchar* it) const { g_free(it); }
  void operator()(GTypeClass* it) const { g_type_class_unref(it); }
};

template <class T>
using Owned = std::unique_ptr<T, Unref>;

template <class T>
Owned<T> Adopt(T* full) {
  return Owned<T>(full);
}

template <class T>
Owned<T> Ref(T* borrowed) {
  return Owned<T>(static_cast<T*>(gst_object_ref(borrowed)));
}

template <class T>
Owned<T> Sink(T* floating) {
  return Owned<T>(static_cast<T*>(gst_object_ref_sink(floating)));
}

// A GValue that is unset when it goes.
class Value {
 public:
  Value() = default;
  explicit Value(GType type) { g_value_init(&value_, type); }
  Value(Value&& other) noexcept : value_(other.value_) { other.value_ = G_VALUE_INIT; }
  Value& operator=(Value&&) = delete;
  Value(const Value&) = delete;
  Value& operator=(const Value&) = delete;
  ~Value() {
    if (G_IS_VALUE(&value_)) g_value_unset(&value_);
  }
  GValue* get() { return &value_; }
  const GValue* get() const { return &value_; }

 private:
  GValue value_ = G_VALUE_INIT;
};

}  // namespace sightline::addon
