#pragma once

#include <gst/gst.h>

#include <optional>

#include "addon/failure.h"

namespace sightline::addon {

// A camera's answer can send rtspsrc anywhere (RFC 2326, 11.3), as often as it likes, and rtspsrc
// goes. With this guard it stays on the host that it was given, and gives up a camera that goes on
// redirecting: an error with the code SL_SOURCE_REDIRECTED, and no further request.
// Does nothing for elements that are no RTSP client.
void GuardRedirects(GstElement* element);

// When `element` is guarded and was sent to another host: the error that says so. Only for an
// element that has just posted an error of its own, that host being out of reach.
std::optional<Failure> RedirectOf(GstElement* element);

}  // namespace sightline::addon
