#pragma once

#include <gst/gst.h>

#include <functional>
#include <memory>
#include <string>

// Makes one file: coded pictures in, bytes with their place in the file out.
class SlSegmentMuxer {
 public:
  // False ends the file: see error().
  using Write = std::function<bool(const void* data, std::size_t size, guint64 offset)>;

  virtual ~SlSegmentMuxer() = default;

  // False where the muxer takes no such pictures; see error().
  virtual bool Start(GstCaps* caps, const GstSegment& segment) = 0;
  // Takes the buffer, whose running time is `pts`. False when nothing more can be written.
  virtual bool Push(GstBuffer* buffer, GstClockTime pts) = 0;
  // Ends the file; true when every byte of it was written.
  virtual bool Finish() = 0;

  // What the muxer said, or what was tried; empty without an error.
  virtual std::string error() const = 0;
};
