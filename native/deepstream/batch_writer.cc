#include "deepstream/batch_writer.h"

#include <algorithm>
#include <cstdio>

#include "deepstream/reader/meta_list.h"
#include "plugin/message_source.h"

using sightline::nvds::NvDsBatchMeta;
using sightline::nvds::NvDsFrameMeta;

namespace {

constexpr char kBackend[] = "deepstream";
constexpr gint64 kNoPad = -1;

// A JSON string's inside.
std::string Escape(const std::string& text) {
  std::string escaped;
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      escaped += '\\';
      escaped += letter;
    } else if (static_cast<unsigned char>(letter) < 0x20) {
      char code[8];
      std::snprintf(code, sizeof(code), "\\u%04x", letter);
      escaped += code;
    } else {
      escaped += letter;
    }
  }
  return escaped;
}

}  // namespace

void BatchWriter::Start(const MetaLibrary& library, BatchWriterSettings settings) {
  library_ = &library;
  settings_ = std::move(settings);
  {
    const std::lock_guard<std::mutex> lock(streams_mutex_);
    streams_.clear();
  }
  SetStreams(settings_.streams);
  unknown_pads_.clear();
  reader_ = sightline::FrameReader(settings_.facts);
  damaged_before_ = 0;
  message_.backend = kBackend;
  message_.tracker = settings_.tracker;
  message_.execution_provider = settings_.execution_provider;
  const auto primary = std::min_element(
      settings_.models.begin(), settings_.models.end(),
      [](const ModelName& a, const ModelName& b) { return a.component < b.component; });
  const bool named = primary != settings_.models.end();
  message_.model_name = named ? std::string_view(primary->name) : std::string_view();
  message_.model_version = named ? std::string_view(primary->version) : std::string_view();
  for (auto* counter :
       {&frames_, &frames_skipped_, &frames_inferred_, &frames_dropped_, &parts_dropped_}) {
    *counter = 0;
  }
}

void BatchWriter::SetStreams(const std::vector<StreamName>& names) {
  std::vector<std::unique_ptr<Stream>> streams;
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  for (const StreamName& name : names) {
    const auto same = [&name](const std::unique_ptr<Stream>& known) {
      return known != nullptr && known->name.pad == name.pad &&
             known->name.stream_id == name.stream_id;
    };
    const auto at = std::find_if(streams_.begin(), streams_.end(), same);
    streams.push_back(at != streams_.end() ? std::move(*at) : std::make_unique<Stream>());
    streams.back()->name = name;
  }
  streams_ = std::move(streams);
  settings_.streams = names;
  unknown_pads_.clear();
}

gint64 BatchWriter::Write(GstBaseTransform* element, NvDsBatchMeta* batch,
                          std::vector<GstBuffer*>* out) {
  gint64 unknown = kNoPad;
  const BatchLock lock(*library_, batch);
  if (!sightline::CollectList(batch->frame_meta_list, &frame_list_)) ++parts_dropped_;
  for (const NvDsFrameMeta* frame : frame_list_) {
    Stream* stream = FindStream(frame->pad_index);
    if (stream != nullptr) {
      out->push_back(WriteFrame(element, *batch, *frame, stream));
      continue;
    }
    ++frames_dropped_;
    const auto known = std::find(unknown_pads_.begin(), unknown_pads_.end(), frame->pad_index);
    if (known != unknown_pads_.end()) continue;
    unknown_pads_.push_back(frame->pad_index);
    unknown = frame->pad_index;
  }
  parts_dropped_ += reader_.CheckBatch(*batch);
  parts_dropped_ += reader_.damaged() - damaged_before_;
  damaged_before_ = reader_.damaged();
  return unknown;
}

// Batches are small and so is the list.
BatchWriter::Stream* BatchWriter::FindStream(guint pad) {
  for (const auto& stream : streams_) {
    if (stream->name.pad == pad) return stream.get();
  }
  if (!settings_.streams.empty()) return nullptr;
  const std::string id = "pad-" + std::to_string(pad);
  return AddStream({pad, id, id});
}

BatchWriter::Stream* BatchWriter::AddStream(StreamName name) {
  auto stream = std::make_unique<Stream>();
  stream->name = std::move(name);
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  streams_.push_back(std::move(stream));
  return streams_.back().get();
}

GstBuffer* BatchWriter::WriteFrame(GstBaseTransform* element, const NvDsBatchMeta& batch,
                                   const NvDsFrameMeta& frame, Stream* stream) {
  const auto mark = stream->identity.Identify(element, frame, settings_.ntp_clock);
  sightline::FrameIdentity& identity = message_.identity;
  identity.stream_id = stream->name.stream_id;
  identity.session = settings_.session;
  identity.epoch = settings_.epoch;
  identity.sequence = mark.sequence;
  identity.pts_ns = GST_CLOCK_TIME_IS_VALID(frame.buf_pts) ? frame.buf_pts : 0;
  identity.capture_unix_ns = mark.capture_unix_ns;
  identity.capture_clock = mark.capture_clock;
  message_.sensor_id = stream->name.sensor_id;
  message_.image = mark.image;
  message_.frames_skipped = stream->gaps.Before(mark.sequence);
  reader_.Read(batch, frame, &stream->tracks, &message_);

  GstBuffer* buffer = gst_buffer_new();
  SlFillMessage(buffer, encoder_.Encode(message_));
  GST_BUFFER_PTS(buffer) = frame.buf_pts;
  ++frames_;
  ++stream->frames;
  frames_skipped_ += message_.frames_skipped;
  stream->skipped += message_.frames_skipped;
  if (message_.inferred) {
    ++frames_inferred_;
    ++stream->inferred;
  }
  return buffer;
}

std::string BatchWriter::StatsJson() const {
  const std::lock_guard<std::mutex> lock(streams_mutex_);
  std::string json = "{";
  for (const auto& stream : streams_) {
    if (json.size() > 1) json += ",";
    json += "\"" + Escape(stream->name.stream_id) +
            "\":{\"frames\":" + std::to_string(stream->frames) +
            ",\"skipped\":" + std::to_string(stream->skipped) +
            ",\"inferred\":" + std::to_string(stream->inferred) + "}";
  }
  return json + "}";
}
