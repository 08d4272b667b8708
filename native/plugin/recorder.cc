#include "plugin/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "plugin/frame_meta.h"
#include "plugin/matroska_muxer.h"
#include "plugin/metadata_filter.h"
#include "plugin/mp4_muxer.h"

namespace {

// Of notes, where media is written picture by picture.
constexpr guint64 kMatroskaNotesNs = 250'000'000;
constexpr guint64 kFirstRetryNs = 1'000'000'000;
constexpr guint kMostDoublings = 5;  // 32 s

std::string ErrnoText(int code) { return g_strerror(code); }

const char* CodecOf(const GstCaps* caps) {
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  return gst_structure_has_name(structure, "video/x-h265") ? "h265" : "h264";
}

}  // namespace

// A segment that is being written.
struct SlRecorder::Open {
  Open(std::string path, std::string notes_path, bool matroska)
      : files(std::move(path), std::move(notes_path), matroska ? kMatroskaNotesNs : 0) {}

  sightline::SegmentFiles files;
  guint64 number = 0;
  const char* codec = "";
  GstClockTime first_pts = 0;
  GstClockTime last_pts = 0;
  GstClockTime end_pts = 0;
  guint64 frames = 0;
  guint64 taken_bytes = 0;
  // Frames the muxer was given, and those it had written when it last wrote.
  std::atomic<guint64> taken{0};
  std::atomic<guint64> written{0};
  // Last, so that it goes first: its thread writes to what stands above.
  std::unique_ptr<SlSegmentMuxer> muxer;
};

SlRecorder::SlRecorder(GstElement* element, SlRecorderCounters* counters)
    : element_(element), counters_(counters) {
  gst_segment_init(&segment_, GST_FORMAT_TIME);
}

SlRecorder::~SlRecorder() { gst_caps_replace(&caps_, nullptr); }

void SlRecorder::Start(const SlRecorderSettings& settings) {
  settings_ = settings;
  next_number_ = 0;
  next_sequence_ = 0;
  failures_ = 0;
  retry_at_ns_ = 0;
}

void SlRecorder::SetCaps(GstCaps* caps) {
  if (caps_ != nullptr && gst_caps_is_equal(caps_, caps)) return;
  caps_changed_ = caps_ != nullptr;
  gst_caps_replace(&caps_, caps);
}

void SlRecorder::Take(GstBuffer* buffer, guint64 came_unix_ns) {
  sightline::FrameNote note;
  note.sequence = next_sequence_++;
  const guint64 now_ns = SlMonotonicNs();
  const GstClockTime pts =
      gst_segment_to_running_time(&segment_, GST_FORMAT_TIME, GST_BUFFER_PTS(buffer));
  const bool key_frame = !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
  if (open_) {
    if (const std::string trouble = Trouble(); !trouble.empty()) {
      Abandon(trouble);
    } else if (failures_ > 0 && open_->written > 0) {
      Recovered();
    }
  }
  // A picture of other caps cannot go into the same file, whatever it is.
  if (open_ && (caps_changed_ || (key_frame && IsOver(pts)))) Close();
  const bool timed = GST_CLOCK_TIME_IS_VALID(pts);
  const bool begins = key_frame && timed && now_ns >= retry_at_ns_;
  if (!timed || (!open_ && !(begins && Begin(pts, now_ns)))) {
    ++counters_->lost;
    gst_buffer_unref(buffer);
    return;
  }
  note.pts_ns = pts;
  note.capture_unix_ns = static_cast<std::int64_t>(came_unix_ns);
  note.key_frame = key_frame;
  Note(buffer, note);
  ++counters_->recorded;
  if (!open_->muxer->Push(buffer, pts)) {
    const std::string trouble = Trouble();
    Abandon(trouble.empty() ? "The muxer takes no more pictures" : trouble);
  }
}

void SlRecorder::Stop() {
  if (open_) Close();
}

std::string SlRecorder::failure() const {
  const std::lock_guard lock(failure_mutex_);
  return failure_;
}

bool SlRecorder::Begin(GstClockTime pts, guint64 now_ns) {
  caps_changed_ = false;
  const guint64 number = next_number_++;
  std::array<char, 32> digits;
  std::snprintf(digits.data(), digits.size(), "-%06" G_GUINT64_FORMAT, number);
  const std::string stem = settings_.folder + "/" + settings_.session + digits.data();
  open_ = std::make_unique<Open>(stem + (settings_.matroska ? ".mkv" : ".mp4"), stem + ".notes",
                                 settings_.matroska);
  open_->number = number;
  open_->codec = CodecOf(caps_);
  open_->first_pts = open_->last_pts = open_->end_pts = pts;
  g_mkdir_with_parents(settings_.folder.c_str(), 0750);  // the files say what fails
  Open* open = open_.get();
  const auto write = [this, open](const void* data, std::size_t size, guint64 offset) {
    const guint64 at_ns = SlMonotonicNs();
    if (!open->files.Write(data, size, offset, at_ns)) return false;
    // The picture that makes the muxer write opens the next fragment.
    open->written = std::max<guint64>(open->taken, 1) - 1;
    counters_->bytes += size;
    counters_->last_write_ns = at_ns;
    return true;
  };
  const guint64 now_unix_ns = SlUnixNs();
  if (settings_.matroska) {
    open_->muxer = std::make_unique<SlMatroskaMuxer>(settings_.fragment_ms, write);
  } else {
    open_->muxer = std::make_unique<SlMp4Muxer>(settings_.fragment_ms, now_unix_ns, write);
  }
  sightline::NotesHeader header;
  header.epoch = settings_.epoch;
  header.number = number;
  header.opened_unix_ns = static_cast<std::int64_t>(now_unix_ns);
  if (!open_->files.Open(header)) {
    Forget("Cannot make " + open_->files.path() + ": " + ErrnoText(open_->files.failure()));
    return false;
  }
  if (!open_->muxer->Start(caps_, segment_)) {
    Forget(Trouble());
    return false;
  }
  if (counters_->last_write_ns == 0) counters_->last_write_ns = now_ns;
  Tell("opened", "");
  return true;
}

void SlRecorder::Close() {
  const bool written = open_->muxer->Finish();
  if (const std::string trouble = Trouble(); !written || !trouble.empty()) {
    Abandon(trouble.empty() ? "The end of the file could not be written" : trouble);
    return;
  }
  open_->muxer.reset();
  if (!open_->files.Finish()) {
    Abandon("Cannot end " + open_->files.path() + ": " + ErrnoText(open_->files.failure()));
    return;
  }
  Recovered();
  ++counters_->segments;
  Tell("closed", "");
  open_.reset();
}

void SlRecorder::Abandon(const std::string& message) {
  open_->muxer.reset();  // its thread is over: what it wrote is all there will be
  const guint64 held = open_->frames - std::min(open_->frames, open_->written.load());
  counters_->lost += held;
  counters_->recorded -= std::min(held, counters_->recorded.load());
  if (open_->files.bytes() > 0) Tell("abandoned", message);
  Forget(message);
}

// Nothing is written until the next try.
void SlRecorder::Forget(const std::string& message) {
  if (open_->files.bytes() == 0) {
    unlink((open_->files.path() + ".part").c_str());
    unlink(open_->files.notes_path().c_str());
  }
  open_.reset();
  retry_at_ns_ = SlMonotonicNs() + (kFirstRetryNs << std::min(failures_, kMostDoublings));
  if (failures_++ == 0) {
    GST_ELEMENT_WARNING(element_, RESOURCE, WRITE, ("Not recorded: %s", message.c_str()),
                        ("It is tried again at a key frame; other branches go on"));
  }
  const std::lock_guard lock(failure_mutex_);
  failure_ = message;
}

void SlRecorder::Recovered() {
  failures_ = 0;
  const std::lock_guard lock(failure_mutex_);
  failure_.clear();
}

std::string SlRecorder::Trouble() const {
  if (const int failure = open_->files.failure(); failure != 0) {
    return "Cannot write " + open_->files.path() + ": " + ErrnoText(failure);
  }
  const std::string error = open_->muxer ? open_->muxer->error() : "";
  if (!error.empty()) return "Cannot write " + open_->files.path() + ": " + error;
  const guint64 bytes = open_->files.bytes();
  if (open_->taken_bytes <= bytes || open_->taken_bytes - bytes <= settings_.max_held_bytes) {
    return "";
  }
  return "More than " + std::to_string(settings_.max_held_bytes) +
         " bytes wait to be written: the pictures' time stands still, or there is no fragment";
}

// Time that goes back begins a new file too.
bool SlRecorder::IsOver(GstClockTime pts) const {
  if (!GST_CLOCK_TIME_IS_VALID(pts)) return false;
  return pts < open_->first_pts || pts - open_->first_pts >= settings_.segment_ms * GST_MSECOND;
}

void SlRecorder::Note(GstBuffer* buffer, sightline::FrameNote note) {
  const SlFrameMeta* frame = SlFrameMetaGet(buffer);
  const bool stamped = frame != nullptr && frame->capture_unix_ns != 0;
  if (stamped) note.capture_unix_ns = static_cast<std::int64_t>(frame->capture_unix_ns);
  note.capture_clock =
      static_cast<std::uint8_t>(stamped ? frame->capture_clock : SL_CAPTURE_CLOCK_ARRIVAL);
  note.size_bytes = static_cast<std::uint32_t>(gst_buffer_get_size(buffer));
  open_->files.AddNote(note);
  open_->taken_bytes += note.size_bytes;
  open_->taken = ++open_->frames;
  const GstClockTime pts = note.pts_ns;
  const GstClockTime step = GST_BUFFER_DURATION_IS_VALID(buffer) ? GST_BUFFER_DURATION(buffer)
                            : pts > open_->last_pts              ? pts - open_->last_pts
                                                                 : 0;
  open_->last_pts = pts;
  open_->end_pts = std::max(open_->end_pts, pts + step);
}

void SlRecorder::Tell(const char* what, const std::string& message) {
  const std::string number = std::to_string(open_->number);
  const std::string epoch = std::to_string(settings_.epoch);
  const std::string first = std::to_string(open_->first_pts);
  const std::string end = std::to_string(open_->end_pts);
  GstStructure* facts = gst_structure_new(
      "sightline-segment", "what", G_TYPE_STRING, what, "session", G_TYPE_STRING,
      settings_.session.c_str(), "number", G_TYPE_UINT64, open_->number, "path", G_TYPE_STRING,
      open_->files.path().c_str(), "notes-path", G_TYPE_STRING, open_->files.notes_path().c_str(),
      "container", G_TYPE_STRING, settings_.matroska ? "matroska" : "mp4", "codec", G_TYPE_STRING,
      open_->codec, "epoch", G_TYPE_STRING, epoch.c_str(), "first-pts-ns", G_TYPE_STRING,
      first.c_str(), "end-pts-ns", G_TYPE_STRING, end.c_str(), "bytes", G_TYPE_UINT64,
      open_->files.bytes(), "frames", G_TYPE_UINT64, open_->frames, "message", G_TYPE_STRING,
      message.c_str(), nullptr);
  gst_element_post_message(element_, gst_message_new_element(GST_OBJECT(element_), facts));
}
