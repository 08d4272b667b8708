#pragma once

#include <gst/base/gstbasetransform.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/encode/message_encoder.h"
#include "deepstream/meta_library.h"
#include "deepstream/name_lists.h"
#include "deepstream/pad_identity.h"
#include "deepstream/reader/frame_reader.h"

struct BatchWriterSettings {
  std::string session;
  guint64 epoch = 0;
  std::vector<StreamName> streams;  // empty: every pad is a stream "pad-<n>"
  std::vector<ModelName> models;
  std::string tracker;
  std::string execution_provider;
  sightline::CaptureClock ntp_clock = sightline::CaptureClock::kRtcpSenderReport;
  sightline::BatchFacts facts;
};

// Turns batches into messages, one buffer a frame, and counts what it does. One thread writes;
// counters and StatsJson() may be asked from any.
class BatchWriter {
 public:
  // Begins a session.
  void Start(const MetaLibrary& library, BatchWriterSettings settings);
  // Streams that stay keep their numbers.
  void SetStreams(const std::vector<StreamName>& names);
  // Appends the buffers, which are the caller's. Gives the pad of a frame that belongs to no stream
  // and was not met before, or -1.
  gint64 Write(GstBaseTransform* element, sightline::nvds::NvDsBatchMeta* batch,
               std::vector<GstBuffer*>* out);

  guint64 frames() const { return frames_; }
  guint64 frames_skipped() const { return frames_skipped_; }
  guint64 frames_inferred() const { return frames_inferred_; }
  // Frames of pads that are no stream's.
  guint64 frames_dropped() const { return frames_dropped_; }
  // Lists, masks and track records that were left out.
  guint64 parts_dropped() const { return parts_dropped_; }
  // {"<stream id>": {"frames": n, "skipped": n, "inferred": n}, ...}
  std::string StatsJson() const;

 private:
  struct Stream {
    StreamName name;
    PadIdentity identity;
    sightline::FrameGaps gaps;
    sightline::TrackMemory tracks;
    std::atomic<guint64> frames{0};
    std::atomic<guint64> skipped{0};
    std::atomic<guint64> inferred{0};
  };

  Stream* FindStream(guint pad);
  Stream* AddStream(StreamName name);
  GstBuffer* WriteFrame(GstBaseTransform* element, const sightline::nvds::NvDsBatchMeta& batch,
                        const sightline::nvds::NvDsFrameMeta& frame, Stream* stream);

  const MetaLibrary* library_ = nullptr;
  BatchWriterSettings settings_;
  mutable std::mutex streams_mutex_;  // the list changes while others read it
  std::vector<std::unique_ptr<Stream>> streams_;
  std::vector<guint> unknown_pads_;
  std::vector<const sightline::nvds::NvDsFrameMeta*> frame_list_;
  sightline::FrameReader reader_;
  sightline::FrameMessage message_;
  sightline::MessageEncoder encoder_;
  guint64 damaged_before_ = 0;
  std::atomic<guint64> frames_{0};
  std::atomic<guint64> frames_skipped_{0};
  std::atomic<guint64> frames_inferred_{0};
  std::atomic<guint64> frames_dropped_{0};
  std::atomic<guint64> parts_dropped_{0};
};
