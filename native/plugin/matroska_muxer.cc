#include "plugin/matroska_muxer.h"

#include <chrono>
#include <utility>

namespace {

// A disk that takes longer for the end of a file counts as broken.
constexpr auto kFinishLimit = std::chrono::seconds(30);

}  // namespace

SlMatroskaMuxer::SlMatroskaMuxer(guint cluster_ms, Write write)
    : cluster_ms_(cluster_ms), write_(std::move(write)) {}

SlMatroskaMuxer::~SlMatroskaMuxer() {
  if (muxer_ != nullptr) {
    // Lets a push that waits for the muxer go, and ends its thread.
    gst_element_set_state(muxer_, GST_STATE_NULL);
    gst_element_set_bus(muxer_, nullptr);
  }
  for (GstPad* pad : {feed_, drain_}) {
    if (pad == nullptr) continue;
    gst_pad_set_active(pad, FALSE);
    gst_object_unref(pad);
  }
  if (muxer_ != nullptr) gst_object_unref(muxer_);
}

bool SlMatroskaMuxer::Start(GstCaps* caps, const GstSegment& segment) {
  if (!Link()) {
    SetError("matroskamux cannot be used: is GStreamer's \"good\" plugin set installed?");
    return false;
  }
  gst_pad_push_event(feed_, gst_event_new_stream_start("recording"));
  if (!gst_pad_push_event(feed_, gst_event_new_caps(caps))) {
    gchar* text = gst_caps_to_string(caps);
    SetError(std::string("matroskamux does not take ") + text);
    g_free(text);
    return false;
  }
  gst_pad_push_event(feed_, gst_event_new_segment(&segment));
  return true;
}

bool SlMatroskaMuxer::Link() {
  muxer_ = gst_element_factory_make("matroskamux", nullptr);
  if (muxer_ == nullptr) return false;
  gst_object_ref_sink(muxer_);
  const gint64 cluster_ns = static_cast<gint64>(cluster_ms_) * 1'000'000;
  g_object_set(muxer_, "max-cluster-duration", cluster_ns, "offset-to-zero", TRUE, nullptr);
  GstBus* bus = gst_bus_new();
  gst_bus_set_sync_handler(bus, Message, this, nullptr);
  gst_element_set_bus(muxer_, bus);
  gst_object_unref(bus);

  feed_ = gst_pad_new("feed", GST_PAD_SRC);
  drain_ = gst_pad_new("drain", GST_PAD_SINK);
  for (GstPad* pad : {feed_, drain_}) {
    gst_object_ref_sink(pad);
    gst_pad_set_element_private(pad, this);
  }
  gst_pad_set_query_function(feed_, FeedQuery);
  gst_pad_set_chain_function(drain_, Chain);
  gst_pad_set_chain_list_function(drain_, ChainList);
  gst_pad_set_event_function(drain_, Event);
  gst_pad_set_query_function(drain_, Query);
  GstPad* in = gst_element_request_pad_simple(muxer_, "video_%u");
  GstPad* out = gst_element_get_static_pad(muxer_, "src");
  const bool linked = in != nullptr && out != nullptr &&
                      gst_pad_link_full(feed_, in, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK &&
                      gst_pad_link_full(out, drain_, GST_PAD_LINK_CHECK_NOTHING) == GST_PAD_LINK_OK;
  if (in != nullptr) gst_object_unref(in);
  if (out != nullptr) gst_object_unref(out);
  if (!linked) return false;
  gst_pad_set_active(drain_, TRUE);
  gst_pad_set_active(feed_, TRUE);
  return gst_element_set_state(muxer_, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE;
}

bool SlMatroskaMuxer::Push(GstBuffer* buffer, GstClockTime) {
  return gst_pad_push(feed_, buffer) == GST_FLOW_OK;
}

bool SlMatroskaMuxer::Finish() {
  gst_pad_push_event(feed_, gst_event_new_eos());
  std::unique_lock lock(mutex_);
  if (!ended_.wait_for(lock, kFinishLimit, [this] { return end_; })) {
    if (error_.empty()) error_ = "The end of the file was not written within 30 s";
    return false;
  }
  return well_;
}

std::string SlMatroskaMuxer::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

SlMatroskaMuxer* SlMatroskaMuxer::Self(GstPad* pad) {
  return static_cast<SlMatroskaMuxer*>(gst_pad_get_element_private(pad));
}

GstFlowReturn SlMatroskaMuxer::Put(GstBuffer* buffer) {
  for (guint i = 0; i < gst_buffer_n_memory(buffer); ++i) {
    GstMemory* memory = gst_buffer_peek_memory(buffer, i);
    GstMapInfo map;
    if (!gst_memory_map(memory, &map, GST_MAP_READ)) return GST_FLOW_ERROR;
    const bool written = write_(map.data, map.size, offset_);
    offset_ += map.size;
    gst_memory_unmap(memory, &map);
    if (!written) {
      End(false);
      return GST_FLOW_ERROR;
    }
  }
  return GST_FLOW_OK;
}

void SlMatroskaMuxer::End(bool well) {
  const std::lock_guard lock(mutex_);
  if (!end_) well_ = well;
  end_ = true;
  ended_.notify_all();
}

void SlMatroskaMuxer::SetError(const std::string& error) {
  const std::lock_guard lock(mutex_);
  if (error_.empty()) error_ = error;
}

GstFlowReturn SlMatroskaMuxer::Chain(GstPad* pad, GstObject*, GstBuffer* buffer) {
  const GstFlowReturn flow = Self(pad)->Put(buffer);
  gst_buffer_unref(buffer);
  return flow;
}

GstFlowReturn SlMatroskaMuxer::ChainList(GstPad* pad, GstObject*, GstBufferList* list) {
  GstFlowReturn flow = GST_FLOW_OK;
  for (guint i = 0; i < gst_buffer_list_length(list) && flow == GST_FLOW_OK; ++i) {
    flow = Self(pad)->Put(gst_buffer_list_get(list, i));
  }
  gst_buffer_list_unref(list);
  return flow;
}

// The muxer goes back to the file's head with a segment in bytes.
gboolean SlMatroskaMuxer::Event(GstPad* pad, GstObject*, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    const GstSegment* segment = nullptr;
    gst_event_parse_segment(event, &segment);
    if (segment->format == GST_FORMAT_BYTES) Self(pad)->offset_ = segment->start;
  } else if (GST_EVENT_TYPE(event) == GST_EVENT_EOS) {
    Self(pad)->End(true);
  }
  gst_event_unref(event);
  return TRUE;
}

gboolean SlMatroskaMuxer::Query(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_SEEKING) {
    return gst_pad_query_default(pad, parent, query);
  }
  GstFormat format = GST_FORMAT_UNDEFINED;
  gst_query_parse_seeking(query, &format, nullptr, nullptr, nullptr);
  gst_query_set_seeking(query, format, format == GST_FORMAT_BYTES, 0, -1);
  return TRUE;
}

// Not live: a muxer of one stream has nothing to wait for but its pictures.
gboolean SlMatroskaMuxer::FeedQuery(GstPad* pad, GstObject* parent, GstQuery* query) {
  if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY) {
    return gst_pad_query_default(pad, parent, query);
  }
  gst_query_set_latency(query, FALSE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

GstBusSyncReply SlMatroskaMuxer::Message(GstBus*, GstMessage* message, gpointer self) {
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    static_cast<SlMatroskaMuxer*>(self)->SetError(error->message);
    g_error_free(error);
    static_cast<SlMatroskaMuxer*>(self)->End(false);
  }
  return GST_BUS_DROP;
}
