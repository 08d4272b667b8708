#pragma once

#include <gst/gst.h>

// The camera or file inside a stand-in source: a live source in "GPU memory" whose URI says how it
// behaves, so that each stream of a test has its own fate.
//
//   rtsp://...?fps=25&pictures=20&then=silent&lives=1
//     pictures  in one life (connection); without it there is no end
//     then      silent (the default), error, refuse (status 401), decoder (an error of the decoder)
//     lives     how many lives end so; later ones have no end. Default 1
//   file:///...  one picture for each byte of the file, then the end of the stream
namespace sightline::standin {

// A new source; the next start is its uri's next life.
GstElement* MakeCamera(const char* uri);

}  // namespace sightline::standin
