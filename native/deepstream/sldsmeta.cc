#include <gst/base/gstbasetransform.h>
#include <gst/gst.h>

#include <atomic>
#include <string>
#include <vector>

#include "deepstream/batch_writer.h"
#include "deepstream/ds_meta_settings.h"
#include "plugin/elements.h"
#include "plugin/guard_errors.h"
#include "plugin/message_source.h"

// sldsmeta turns each frame of a DeepStream batch into one protobuf message of the objects on it: N
// frames in, N buffers out. It stands behind the last element that adds metadata and before any
// that moves boxes (nvmultistreamtiler, nvvideoconvert).

namespace {

enum Counter {
  PROP_FRAMES = PROP_LAST_SETTING + 1,
  PROP_FRAMES_SKIPPED,
  PROP_FRAMES_INFERRED,
  PROP_FRAMES_DROPPED,
  PROP_PARTS_DROPPED,
  PROP_BUFFERS_WITHOUT_BATCH,
  PROP_STREAM_STATS,
};

struct SlDsMetaState {
  SlDsMetaWanted wanted;  // under the object's lock
  std::atomic<bool> streams_changed{false};
  const MetaLibrary* library = nullptr;
  BatchWriter writer;
  // What one input buffer became, and how much of it is handed on.
  std::vector<GstBuffer*> output;
  std::size_t handed = 0;
  std::atomic<guint64> buffers_without_batch{0};
};

struct SlDsMeta {
  GstBaseTransform base;
  SlDsMetaState* state;
};
struct SlDsMetaClass {
  GstBaseTransformClass base;
};

G_DEFINE_TYPE(SlDsMeta, sl_ds_meta, GST_TYPE_BASE_TRANSFORM)

SlDsMeta* Self(gpointer object) { return reinterpret_cast<SlDsMeta*>(object); }

void DropOutput(SlDsMetaState* state) {
  for (; state->handed < state->output.size(); ++state->handed) {
    gst_buffer_unref(state->output[state->handed]);
  }
  state->output.clear();
  state->handed = 0;
}

gboolean Start(GstBaseTransform* base) {
  return GuardErrors(base, gboolean{FALSE}, [&]() -> gboolean {
    SlDsMetaState* state = Self(base)->state;
    GST_OBJECT_LOCK(base);
    const SlDsMetaWanted wanted = state->wanted;
    state->streams_changed = false;
    GST_OBJECT_UNLOCK(base);
    state->library = &LoadMetaLibrary(wanted.library_dir);
    state->writer.Start(*state->library, SlReadDsMetaSettings(wanted));
    state->buffers_without_batch = 0;
    return TRUE;
  });
}

gboolean Stop(GstBaseTransform* base) {
  DropOutput(Self(base)->state);
  return TRUE;
}

// Streams come and go while the pipeline plays. A text that cannot be read changes nothing.
void TakeStreams(GstBaseTransform* base) {
  SlDsMetaState* state = Self(base)->state;
  if (!state->streams_changed.exchange(false)) return;
  GST_OBJECT_LOCK(base);
  const std::string text = state->wanted.streams;
  GST_OBJECT_UNLOCK(base);
  try {
    state->writer.SetStreams(ParseStreamNames(text));
  } catch (const sightline::Error& error) {
    GST_ELEMENT_WARNING(base, LIBRARY, SETTINGS, ("%s", error.what()),
                        ("The streams stay as they were"));
  }
}

void WriteBatch(GstBaseTransform* base, GstBuffer* input) {
  SlDsMetaState* state = Self(base)->state;
  DropOutput(state);
  TakeStreams(base);
  sightline::nvds::NvDsBatchMeta* batch = state->library->batch_of(input);
  if (batch == nullptr) {
    if (state->buffers_without_batch++ == 0) {
      GST_ELEMENT_WARNING(base, STREAM, FORMAT,
                          ("A buffer has no NvDsBatchMeta, and so no frames to report"),
                          ("Put nvstreammux before the element; further ones are only counted"));
    }
    return;
  }
  const gint64 unknown_pad = state->writer.Write(base, batch, &state->output);
  if (unknown_pad < 0) return;
  GST_ELEMENT_WARNING(
      base, STREAM, FAILED,
      ("A batch has frames of pad %" G_GINT64_FORMAT ", which is no stream's", unknown_pad),
      ("Name it in the property streams; its frames are dropped and counted"));
}

// Called until it gives no buffer: first for what a new input buffer became. The input is let go
// before anything is handed on, for the muxer has only a few of them.
GstFlowReturn GenerateOutput(GstBaseTransform* base, GstBuffer** output) {
  *output = nullptr;
  return GuardErrors(base, GST_FLOW_ERROR, [&] {
    SlDsMetaState* state = Self(base)->state;
    if (GstBuffer* input = base->queued_buf) {
      base->queued_buf = nullptr;
      struct Release {
        GstBuffer* buffer;
        ~Release() { gst_buffer_unref(buffer); }
      } release{input};
      WriteBatch(base, input);
    }
    if (state->handed < state->output.size()) *output = state->output[state->handed++];
    return GST_FLOW_OK;
  });
}

gboolean SinkEvent(GstBaseTransform* base, GstEvent* event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_STOP) DropOutput(Self(base)->state);
  return GST_BASE_TRANSFORM_CLASS(sl_ds_meta_parent_class)->sink_event(base, event);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec* spec) {
  SlDsMetaState* state = Self(object)->state;
  GST_OBJECT_LOCK(object);
  const bool known = SlSetDsMetaSetting(&state->wanted, id, value);
  if (id == PROP_STREAMS) state->streams_changed = true;
  GST_OBJECT_UNLOCK(object);
  if (!known) G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
}

void GetProperty(GObject* object, guint id, GValue* value, GParamSpec* spec) {
  SlDsMetaState* state = Self(object)->state;
  GST_OBJECT_LOCK(object);
  const bool known = SlGetDsMetaSetting(&state->wanted, id, value);
  GST_OBJECT_UNLOCK(object);
  if (known) return;
  const BatchWriter& writer = state->writer;
  switch (id) {
    case PROP_FRAMES:
      return g_value_set_uint64(value, writer.frames());
    case PROP_FRAMES_SKIPPED:
      return g_value_set_uint64(value, writer.frames_skipped());
    case PROP_FRAMES_INFERRED:
      return g_value_set_uint64(value, writer.frames_inferred());
    case PROP_FRAMES_DROPPED:
      return g_value_set_uint64(value, writer.frames_dropped());
    case PROP_PARTS_DROPPED:
      return g_value_set_uint64(value, writer.parts_dropped());
    case PROP_BUFFERS_WITHOUT_BATCH:
      return g_value_set_uint64(value, state->buffers_without_batch);
    case PROP_STREAM_STATS:
      return g_value_set_string(value, writer.StatsJson().c_str());
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
  }
}

void Finalize(GObject* object) {
  DropOutput(Self(object)->state);
  delete Self(object)->state;
  G_OBJECT_CLASS(sl_ds_meta_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* klass) {
  SlInstallDsMetaSettings(klass);
  const auto readable = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  const auto counter = [&](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(
        klass, id, g_param_spec_uint64(name, name, blurb, 0, G_MAXUINT64, 0, readable));
  };
  counter(PROP_FRAMES, "frames", "Messages written since the element started");
  counter(PROP_FRAMES_SKIPPED, "frames-skipped",
          "Frames of the muxer that never reached the element (gaps in the sequence)");
  counter(PROP_FRAMES_INFERRED, "frames-inferred", "Messages of frames on which a detector ran");
  counter(PROP_FRAMES_DROPPED, "frames-dropped", "Frames of pads that are no stream's");
  counter(PROP_PARTS_DROPPED, "parts-dropped",
          "Lists, masks and track records left out: damaged, or of a stream without a frame");
  counter(PROP_BUFFERS_WITHOUT_BATCH, "buffers-without-batch", "Buffers without NvDsBatchMeta");
  g_object_class_install_property(
      klass, PROP_STREAM_STATS,
      g_param_spec_string("stream-stats", "stream-stats",
                          "Counters by stream as JSON: {\"<id>\": {frames, skipped, inferred}}",
                          "{}", readable));
}

void sl_ds_meta_class_init(SlDsMetaClass* klass) {
  auto* object_class = G_OBJECT_CLASS(klass);
  object_class->set_property = SetProperty;
  object_class->get_property = GetProperty;
  object_class->finalize = Finalize;
  InstallProperties(object_class);

  auto* element_class = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(
      element_class, "DeepStream metadata encoder", "Filter/Converter/Metadata",
      "Writes one sightline.v1.Frame protobuf message for each frame of a DeepStream batch. "
      "Example: nvstreammux name=m batch-size=1 width=1920 height=1080 ! nvinfer "
      "config-file-path=detector.txt ! sldsmeta streams=0=cam-1 session=s1 ! multifilesink "
      "location=frame-%05d.bin nvurisrcbin uri=rtsp://host/path ! m.sink_0",
      "Sightline");
  SlMakeMessageElement(element_class, "video/x-raw(ANY)", "Frame");

  auto* transform_class = GST_BASE_TRANSFORM_CLASS(klass);
  transform_class->start = Start;
  transform_class->stop = Stop;
  transform_class->sink_event = SinkEvent;
  transform_class->generate_output = GenerateOutput;
}

void sl_ds_meta_init(SlDsMeta* self) {
  self->state = new SlDsMetaState();
  // Without a transform function the base class would pass buffers through.
  gst_base_transform_set_in_place(GST_BASE_TRANSFORM(self), FALSE);
  gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), FALSE);
}

}  // namespace

gboolean SlDsMetaRegister(GstPlugin* plugin) {
  return gst_element_register(plugin, "sldsmeta", GST_RANK_NONE, sl_ds_meta_get_type());
}
