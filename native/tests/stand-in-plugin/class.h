#pragma once

#include <gst/gst.h>

#include "tests/stand-in-plugin/table.h"

// Gives a class the name, properties and pads of one of NVIDIA's elements, so that GStreamer itself
// checks what a graph sets and links.
namespace sightline::standin {

// Metadata, pad templates and properties. Values are kept, read back and otherwise unused.
void Dress(GstElementClass* klass, const ElementRow& row);

// The template that the class was given.
GstPadTemplate* TemplateOf(gpointer element, const char* name);

// A property of the element, whatever its type: the text is empty, the number 0 where it is unset.
gint64 NumberOf(gpointer element, const char* name);
class Text {
 public:
  Text(gpointer element, const char* name);
  ~Text() { g_free(text_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  const char* get() const { return text_ == nullptr ? "" : text_; }

 private:
  gchar* text_ = nullptr;
};

// Registers `type` under NVIDIA's factory name.
bool Register(GstPlugin* plugin, const char* name, GType type);

}  // namespace sightline::standin
