#pragma once

#include <gst/gst.h>

#include <memory>

namespace sightline::camera {

struct Unref {
  void operator()(GstBuffer* buffer) const { gst_buffer_unref(buffer); }
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
  void operator()(GstCaps* caps) const { gst_caps_unref(caps); }
  void operator()(GstMessage* message) const { gst_message_unref(message); }
  void operator()(GError* error) const { g_error_free(error); }
  void operator()(gchar* text) const { g_free(text); }
  void operator()(GOptionContext* context) const { g_option_context_free(context); }
  void operator()(gpointer object) const { g_object_unref(object); }
};

/** One counted reference (or one allocation) that this pointer gives back. */
template <class T>
using Owned = std::unique_ptr<T, Unref>;

/** Takes over a reference that the caller already counts for us. */
template <class T>
Owned<T> Adopt(T* pointer) {
  return Owned<T>(pointer);
}

}  // namespace sightline::camera
