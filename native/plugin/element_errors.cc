#include "plugin/element_errors.h"

void SlPostError(GstElement* element, const sightline::Error& error) {
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
    case sightline::ErrorKind::kNoGpu:
      GST_ELEMENT_ERROR_WITH_DETAILS(element, LIBRARY, INIT, ("%s", error.what()), (nullptr),
                                     ("sl-code", G_TYPE_STRING, "SL_GPU_UNAVAILABLE", nullptr));
      break;
    case sightline::ErrorKind::kFailed:
      GST_ELEMENT_ERROR(element, LIBRARY, FAILED, ("%s", error.what()), (nullptr));
      break;
  }
}
