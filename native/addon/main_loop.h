#pragma once

#include <gst/gst.h>

#include <functional>

#include "addon/gst_ptr.h"

// GLib's default main context. Elements may hang timers on it (NVIDIA's nvurisrcbin watches and
// reconnects its camera from one), and Node's own loop never looks at it: without somebody who
// iterates it those timers stand still for ever.
namespace sightline::addon {

// Iterates the default context on a thread of its own, until the process ends. Idempotent.
void RunMainLoop();

// Runs `body` on the main loop's thread and waits for it; here and now where no main loop runs. For
// what must not overlap a timer of an element: to stop a bin while its timer restarts its children
// is a race that the bin loses. Not from the main loop's own thread. `body` must not throw.
void OnMainLoop(const std::function<void()>& body);

// Drops the last reference a moment later on the main loop's thread, so that a timer which an
// element left behind still finds it; at once where no main loop runs.
void ReleaseOnMainLoop(Owned<GstElement> element);

}  // namespace sightline::addon
