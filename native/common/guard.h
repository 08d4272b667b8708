#pragma once

#include <gst/gst.h>

#include <exception>

// The only bridge from C++ to a C callback: runs `body`, and turns an exception into one error on
// the element's bus and the given return value. No exception crosses a C frame.
template <class Element, class Result, class Body>
Result Guard(Element* self, Result on_error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::exception& error) {
    GST_ELEMENT_ERROR(GST_ELEMENT_CAST(self), LIBRARY, FAILED, ("%s", error.what()), (nullptr));
  } catch (...) {
    GST_ELEMENT_ERROR(GST_ELEMENT_CAST(self), LIBRARY, FAILED, ("Unknown failure"), (nullptr));
  }
  return on_error;
}
