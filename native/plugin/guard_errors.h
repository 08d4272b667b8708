#pragma once

#include <gst/gst.h>

#include "common/guard.h"
#include "core/error.h"

// One error on the bus, in the domain that says what to do about it.
inline void SlPostError(gpointer element, const sightline::Error& error) {
  switch (error.kind()) {
    case sightline::ErrorKind::kNotFound:
      GST_ELEMENT_ERROR(element, RESOURCE, NOT_FOUND, ("%s", error.what()), (nullptr));
      break;
    case sightline::ErrorKind::kSettings:
      GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS, ("%s", error.what()), (nullptr));
      break;
    case sightline::ErrorKind::kLibrary:
      GST_ELEMENT_ERROR(element, LIBRARY, INIT, ("%s", error.what()), (nullptr));
      break;
    case sightline::ErrorKind::kModel:
      GST_ELEMENT_ERROR(element, STREAM, WRONG_TYPE, ("%s", error.what()), (nullptr));
      break;
    case sightline::ErrorKind::kFailed:
      GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("%s", error.what()), (nullptr));
      break;
  }
}

// Guard() for what may throw sightline::Error.
template <class Element, class Result, class Body>
Result GuardErrors(Element* self, Result on_error, Body&& body) {
  return Guard(self, on_error, [&]() -> Result {
    try {
      return body();
    } catch (const sightline::Error& error) {
      SlPostError(self, error);
      return on_error;
    }
  });
}
