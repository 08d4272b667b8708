#pragma once

#include <gst/gst.h>

#include <utility>

#include "common/guard.h"
#include "core/error.h"

// Posts one error on the bus, in the domain that says what to do about it.
void SlPostError(GstElement* element, const sightline::Error& error);

// Guard() for what may throw sightline::Error.
template <class Result, class Body>
Result SlGuardErrors(GstElement* element, Result on_error, Body&& body) {
  return Guard(element, on_error, [&]() -> Result {
    try {
      return body();
    } catch (const sightline::Error& error) {
      SlPostError(element, error);
      return on_error;
    }
  });
}
