#include <array>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "tests/stand-in-plugin/batch.h"
#include "tests/stand-in-plugin/class.h"
#include "tests/stand-in-plugin/elements.h"

// nvstreammux: takes one frame of each pad that has one, in the order of the pads, and hands them
// on as one buffer with a batch. The timeout of a batch begins with its first frame.

namespace sightline::standin {
namespace {

using Lock = std::unique_lock<std::mutex>;

// Frames of one pad that may wait.
constexpr std::size_t kWaiting = 2;

struct Input {
  std::deque<GstBuffer*> waiting;
  guint width = 0;
  guint height = 0;
  gint frame_num = 0;
  bool linked = false;
  bool eos = false;
};

struct MuxState {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<guint, Input> inputs;
  bool flushing = true;
  bool started = false;
  gint64 first_us = 0;  // of the batch that is gathered; 0: none
};

struct Mux {
  GstElement element;
  GstPad* src;
  MuxState* state;
};
struct MuxClass {
  GstElementClass base;
};

bool IsNew() {
  const char* chosen = std::getenv("USE_NEW_NVSTREAMMUX");
  return chosen != nullptr && std::strcmp(chosen, "yes") == 0;
}

Mux* Self(gpointer object) { return static_cast<Mux*>(object); }

guint IndexOf(GstPad* pad) { return static_cast<guint>(std::atoi(GST_PAD_NAME(pad) + 5)); }

GstFlowReturn Chain(GstPad* pad, GstObject* parent, GstBuffer* buffer) {
  MuxState* state = Self(parent)->state;
  Lock lock(state->mutex);
  Input& input = state->inputs[IndexOf(pad)];
  state->changed.wait(lock, [&] { return state->flushing || input.waiting.size() < kWaiting; });
  if (state->flushing || input.eos) {
    gst_buffer_unref(buffer);
    return state->flushing ? GST_FLOW_FLUSHING : GST_FLOW_EOS;
  }
  input.waiting.push_back(buffer);
  if (state->first_us == 0) state->first_us = g_get_monotonic_time();
  state->changed.notify_all();
  return GST_FLOW_OK;
}

gboolean OnEvent(GstPad* pad, GstObject* parent, GstEvent* event) {
  MuxState* state = Self(parent)->state;
  const Lock lock(state->mutex);
  Input& input = state->inputs[IndexOf(pad)];
  switch (GST_EVENT_TYPE(event)) {
    case GST_EVENT_CAPS: {
      GstCaps* caps = nullptr;
      gst_event_parse_caps(event, &caps);
      gint width = 0;
      gint height = 0;
      gst_structure_get_int(gst_caps_get_structure(caps, 0), "width", &width);
      gst_structure_get_int(gst_caps_get_structure(caps, 0), "height", &height);
      input.width = static_cast<guint>(width);
      input.height = static_cast<guint>(height);
      break;
    }
    case GST_EVENT_STREAM_START:
      input.linked = true;
      input.eos = false;
      break;
    case GST_EVENT_EOS:
      input.eos = true;
      state->changed.notify_all();
      break;
    default:
      break;
  }
  gst_event_unref(event);
  return TRUE;
}

// With the lock held: whether a batch can go, because each pad that still gives frames has one.
bool IsFull(const MuxState& state) {
  bool some = false;
  for (const auto& [index, input] : state.inputs) {
    if (!input.waiting.empty()) some = true;
    if (input.waiting.empty() && !input.eos) return false;
  }
  return some;
}

bool IsOver(const MuxState& state) {
  for (const auto& [index, input] : state.inputs) {
    if (!input.eos || !input.waiting.empty()) return false;
  }
  return !state.inputs.empty();
}

// With the lock held.
GstBuffer* TakeBatch(Mux* self) {
  MuxState* state = self->state;
  auto batch = std::make_unique<test::DsBatch>();
  batch->get()->max_frames_in_batch = static_cast<guint>(NumberOf(self, "batch-size"));
  GstClockTime pts = GST_CLOCK_TIME_NONE;
  for (auto& [index, input] : state->inputs) {
    if (input.waiting.empty()) continue;
    GstBuffer* frame = input.waiting.front();
    input.waiting.pop_front();
    pts = GST_BUFFER_PTS(frame);
    auto* meta = batch->AddFrame(index, input.frame_num++, GST_BUFFER_PTS(frame));
    meta->bInferDone = FALSE;
    meta->source_frame_width = input.width;
    meta->source_frame_height = input.height;
    meta->pipeline_width = IsNew() ? 0 : static_cast<guint>(NumberOf(self, "width"));
    meta->pipeline_height = IsNew() ? 0 : static_cast<guint>(NumberOf(self, "height"));
    meta->ntp_timestamp = static_cast<guint64>(g_get_real_time()) * 1000;
    gst_buffer_unref(frame);
  }
  state->first_us = 0;
  for (const auto& [index, input] : state->inputs) {
    if (!input.waiting.empty()) state->first_us = g_get_monotonic_time();
  }
  state->changed.notify_all();
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 64, nullptr);
  GST_BUFFER_PTS(buffer) = pts;
  Attach(buffer, std::move(batch));
  return buffer;
}

void PushStart(Mux* self, guint width, guint height) {
  gst_pad_push_event(self->src, gst_event_new_stream_start("stand-in-batches"));
  GstCaps* caps =
      gst_caps_new_simple("video/x-raw", "format", G_TYPE_STRING, "NV12", "width", G_TYPE_INT,
                          static_cast<gint>(width), "height", G_TYPE_INT, static_cast<gint>(height),
                          "framerate", GST_TYPE_FRACTION, 25, 1, nullptr);
  gst_caps_set_features(caps, 0, gst_caps_features_new("memory:NVMM", nullptr));
  gst_pad_push_event(self->src, gst_event_new_caps(caps));
  gst_caps_unref(caps);
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_pad_push_event(self->src, gst_event_new_segment(&segment));
}

// The src pad's task: one batch a round.
void Loop(gpointer data) {
  Mux* self = Self(data);
  MuxState* state = self->state;
  GstBuffer* buffer = nullptr;
  guint width = 0;
  guint height = 0;
  {
    Lock lock(state->mutex);
    const gint64 timeout_us = NumberOf(self, "batched-push-timeout");
    for (;;) {
      if (state->flushing || IsFull(*state) || IsOver(*state)) break;
      if (state->first_us == 0 || timeout_us < 0) {
        state->changed.wait(lock);
        continue;
      }
      const gint64 left_us = state->first_us + timeout_us - g_get_monotonic_time();
      if (left_us <= 0) break;
      state->changed.wait_for(lock, std::chrono::microseconds(left_us));
    }
    if (state->flushing) {
      gst_pad_pause_task(self->src);
      return;
    }
    if (IsOver(*state)) {
      lock.unlock();
      if (NumberOf(self, "drop-pipeline-eos") == 0) {
        gst_pad_push_event(self->src, gst_event_new_eos());
      }
      gst_pad_pause_task(self->src);
      return;
    }
    for (const auto& [index, input] : state->inputs) {
      if (input.waiting.empty()) continue;
      width = IsNew() ? input.width : static_cast<guint>(NumberOf(self, "width"));
      height = IsNew() ? input.height : static_cast<guint>(NumberOf(self, "height"));
    }
    buffer = TakeBatch(self);
  }
  if (!state->started) PushStart(self, width, height);
  state->started = true;
  const GstFlowReturn flow = gst_pad_push(self->src, buffer);
  if (flow == GST_FLOW_OK) return;
  {
    const Lock lock(state->mutex);
    state->flushing = true;
    state->changed.notify_all();
  }
  gst_pad_pause_task(self->src);
}

gboolean Activate(GstPad* pad, GstObject* parent, GstPadMode, gboolean active) {
  MuxState* state = Self(parent)->state;
  {
    const Lock lock(state->mutex);
    state->flushing = !active;
    state->started = false;
    state->changed.notify_all();
  }
  return active ? gst_pad_start_task(pad, Loop, parent, nullptr) : gst_pad_stop_task(pad);
}

GstPad* RequestPad(GstElement* element, GstPadTemplate* pad_template, const gchar* name,
                   const GstCaps*) {
  // As NVIDIA's: the number is the caller's choice and must be given.
  if (name == nullptr || std::strncmp(name, "sink_", 5) != 0) return nullptr;
  GstPad* pad = gst_pad_new_from_template(pad_template, name);
  gst_pad_set_chain_function(pad, Chain);
  gst_pad_set_event_function(pad, OnEvent);
  {
    const Lock lock(Self(element)->state->mutex);
    Self(element)->state->inputs[IndexOf(pad)];
  }
  gst_pad_set_active(pad, TRUE);
  gst_element_add_pad(element, pad);
  return pad;
}

GstStateChangeReturn ChangeState(GstElement* element, GstStateChange transition) {
  auto* parent = GST_ELEMENT_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(element)));
  Mux* self = Self(element);
  if (transition == GST_STATE_CHANGE_NULL_TO_READY) {
    const bool sized = NumberOf(element, "width") > 0 && NumberOf(element, "height") > 0;
    if (NumberOf(element, "batch-size") == 0 || (!IsNew() && !sized)) {
      GST_ELEMENT_ERROR(element, LIBRARY, SETTINGS, ("batch-size, width and height must be set"),
                        (nullptr));
      return GST_STATE_CHANGE_FAILURE;
    }
  }
  const GstStateChangeReturn result = parent->change_state(element, transition);
  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
    const Lock lock(self->state->mutex);
    for (auto& [index, input] : self->state->inputs) {
      for (GstBuffer* buffer : input.waiting) gst_buffer_unref(buffer);
      input = Input{};
    }
  }
  return result;
}

void Finalize(GObject* object) {
  delete Self(object)->state;
  G_OBJECT_CLASS(g_type_class_peek_parent(G_OBJECT_GET_CLASS(object)))->finalize(object);
}

void ClassInit(gpointer klass, gpointer) {
  auto* element = GST_ELEMENT_CLASS(klass);
  element->request_new_pad = RequestPad;
  element->change_state = ChangeState;
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  Dress(element, RowOf(IsNew() ? "nvstreammux-new" : "nvstreammux"));
}

void Init(GTypeInstance* instance, gpointer klass) {
  Mux* self = Self(instance);
  self->state = new MuxState;
  self->src = gst_pad_new_from_template(
      gst_element_class_get_pad_template(GST_ELEMENT_CLASS(klass), "src"), "src");
  gst_pad_set_activatemode_function(self->src, Activate);
  gst_pad_use_fixed_caps(self->src);
  gst_element_add_pad(GST_ELEMENT(self), self->src);
}

}  // namespace

bool RegisterMuxer(GstPlugin* plugin) {
  GTypeInfo info{};
  info.class_size = sizeof(MuxClass);
  info.class_init = ClassInit;
  info.instance_size = sizeof(Mux);
  info.instance_init = Init;
  const GType type =
      g_type_register_static(GST_TYPE_ELEMENT, "StandInMux", &info, static_cast<GTypeFlags>(0));
  return Register(plugin, "nvstreammux", type);
}

}  // namespace sightline::standin
