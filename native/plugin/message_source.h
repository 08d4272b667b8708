#pragma once

#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <string>

#include "core/encode/frame_message.h"
#include "plugin/frame_meta.h"

// What slmeta and slimage share: who the stream is, and how one of its frames is named. Both must
// name the same frame alike, for the picture's key stands in both messages.
class SlMessageSource {
 public:
  SlMessageSource();

  // Taken over at the next Start(); empty or null stands for the default. Call them under the
  // object's lock.
  void set_stream_id(const char* id);
  void set_session(const char* session);
  void set_epoch(guint64 epoch) { wanted_epoch_ = epoch; }
  const std::string& stream_id() const { return wanted_stream_id_; }
  const std::string& session() const { return wanted_session_; }
  guint64 epoch() const { return wanted_epoch_; }

  // Begins a session; call it under the object's lock.
  void Start();
  bool SetCaps(const GstCaps* caps);
  // Names a frame. `frame` may be null: then the frame is numbered here and was captured now. A
  // frame of another pipeline (origin_meta.h) keeps its name, which is valid as long as the buffer.
  sightline::FrameIdentity Identify(GstBaseTransform* element, GstBuffer* buffer,
                                    const SlFrameMeta* frame);
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  std::string wanted_stream_id_;
  std::string wanted_session_;
  guint64 wanted_epoch_ = 0;
  std::string stream_id_;
  std::string session_;
  guint64 epoch_ = 0;
  int width_ = 0;
  int height_ = 0;
  guint64 next_sequence_ = 0;
};

// A session's name where the application gives none: unlike any other run on this host.
std::string SlDefaultSession();
// Installs the properties "stream-id", "session" and "epoch" under these ids.
void SlInstallIdentityProperties(GObjectClass* klass, guint stream_id, guint session, guint epoch);
// Makes a class of elements that turn media into one kind of message, "sightline.v1.<kind>": pads,
// caps and allocation. Class functions that differ are set afterwards.
void SlMakeMessageElement(GstElementClass* element_class, const char* sink_caps, const char* kind);
// Puts a message's bytes into the element's output buffer.
void SlFillMessage(GstBuffer* buffer, const std::string& bytes);
