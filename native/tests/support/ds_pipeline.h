#pragma once

#include <gst/app/gstappsrc.h>
#include <gst/gst.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/stand-in/nvdsgst_meta.h"
#include "tests/support/ds_batch.h"
#include "tests/support/message_fields.h"
#include "tests/support/test_pipeline.h"

namespace sightline::test {

inline std::string BytesOf(GstBuffer* buffer) {
  std::string bytes(gst_buffer_get_size(buffer), '\0');
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

// A batch lives as long as a buffer with it: copies of a buffer share theirs.
inline gpointer ShareBatch(gpointer meta, gpointer batch) {
  static_cast<DsBatch*>(batch)->Ref();
  return meta;
}
inline void FreeBatch(gpointer, gpointer batch) { static_cast<DsBatch*>(batch)->Unref(); }

// The batch on a buffer of one 16x16 picture, which owns it.
inline GstBuffer* ToBuffer(std::unique_ptr<DsBatch> batch, GstClockTime pts = 0) {
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, 16 * 16 * 3 / 2, nullptr);
  gst_buffer_memset(buffer, 0, 128, static_cast<gsize>(-1));
  GST_BUFFER_PTS(buffer) = pts;
  nvds::NvDsBatchMeta* meta = batch->get();
  gst_buffer_add_nvds_meta(buffer, meta, batch.release(), ShareBatch, FreeBatch);
  return buffer;
}

// A pipeline that begins at "appsrc name=in" and is fed with batches.
class DsPipeline : public TestPipeline {
 public:
  static constexpr char kCaps[] =
      "video/x-raw(memory:NVMM),format=I420,width=16,height=16,"
      "framerate=25/1";

  explicit DsPipeline(const std::string& text, const std::string& caps = kCaps, bool live = true)
      : TestPipeline("appsrc name=in format=time is-live=" + std::string(live ? "true" : "false") +
                     " caps=\"" + caps + "\" ! " + text),
        source_(Find("in")) {
    gst_element_set_state(get(), GST_STATE_PLAYING);
  }

  void Push(GstBuffer* buffer) {
    EXPECT_EQ(gst_app_src_push_buffer(GST_APP_SRC(source_.get()), buffer), GST_FLOW_OK);
  }
  void Push(std::unique_ptr<DsBatch> batch) { Push(ToBuffer(std::move(batch))); }
  void End() { gst_app_src_end_of_stream(GST_APP_SRC(source_.get())); }

  // The next message, by field number.
  MessageFields Message(const char* sink = "out") {
    const Sample sample = Pull(sink);
    if (!sample) {
      ADD_FAILURE() << "no message within the limit";
      return MessageFields("");
    }
    return MessageFields(BytesOf(gst_sample_get_buffer(sample.get())));
  }
  bool AtEnd(const char* sink = "out") {
    const Sample sample = Pull(sink);
    return !sample && gst_app_sink_is_eos(GST_APP_SINK(Find(sink).get()));
  }
  // Texts of the warnings that were posted so far.
  std::vector<std::string> Warnings() {
    std::vector<std::string> texts;
    GstBus* bus = gst_element_get_bus(get());
    while (GstMessage* message = gst_bus_pop_filtered(bus, GST_MESSAGE_WARNING)) {
      GError* error = nullptr;
      gst_message_parse_warning(message, &error, nullptr);
      texts.emplace_back(error->message);
      g_error_free(error);
      gst_message_unref(message);
    }
    gst_object_unref(bus);
    return texts;
  }
  guint64 Number(const char* element, const char* property) {
    guint64 value = 0;
    g_object_get(Find(element).get(), property, &value, nullptr);
    return value;
  }
  std::string Text(const char* element, const char* property) {
    gchar* value = nullptr;
    g_object_get(Find(element).get(), property, &value, nullptr);
    const std::string text = value != nullptr ? value : "";
    g_free(value);
    return text;
  }

 private:
  Element source_;
};

}  // namespace sightline::test
