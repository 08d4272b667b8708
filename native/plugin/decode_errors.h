#pragma once

#include <gst/gst.h>

// From now on libav's log is read for pictures that it patched up. Safe to call again.
void SlWatchDecodeErrors();

/**
 * How often libav said, since this was last asked in this thread, that it concealed errors of a
 * picture. It gives such pictures without a mark. One decoder with `max-threads=1` decodes in the
 * thread that carries its pictures on, so what is taken behind it is its own.
 */
guint64 SlTakeConcealedPictures();
