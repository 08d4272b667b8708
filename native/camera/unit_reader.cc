#include "camera/unit_reader.h"

#include <gst/app/gstappsink.h>

namespace sightline::camera {
namespace {

constexpr GstClockTime kReadLimit = 60 * GST_SECOND;

}  // namespace

UnitReader::UnitReader(const char* pipeline, const std::string& path) {
  GError* error = nullptr;
  pipeline_.reset(gst_parse_launch(pipeline, &error));
  const Owned<GError> owned_error(error);
  if (error != nullptr) throw std::runtime_error(error->message);
  const auto file = Adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "file"));
  g_object_set(file.get(), "location", path.c_str(), nullptr);
  sink_.reset(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "units"));
  bus_.reset(gst_element_get_bus(pipeline_.get()));
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
}

UnitReader::~UnitReader() { gst_element_set_state(pipeline_.get(), GST_STATE_NULL); }

Owned<GstSample> UnitReader::Next() {
  const gint64 deadline = g_get_monotonic_time() + GST_TIME_AS_USECONDS(kReadLimit);
  while (g_get_monotonic_time() < deadline) {
    auto sample = Adopt(gst_app_sink_try_pull_sample(GST_APP_SINK(sink_.get()), 100 * GST_MSECOND));
    if (sample) return sample;
    ThrowOnError();
    if (gst_app_sink_is_eos(GST_APP_SINK(sink_.get()))) return nullptr;
  }
  throw std::runtime_error("no access unit within 60 s");
}

void UnitReader::ThrowOnError() {
  const auto message = Adopt(gst_bus_pop_filtered(bus_.get(), GST_MESSAGE_ERROR));
  if (!message) return;
  GError* error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  const Owned<GError> owned_error(error);
  // What a demuxer says when nothing takes its streams: it names no reason of
  // its own.
  if (g_error_matches(error, GST_STREAM_ERROR, GST_STREAM_ERROR_FAILED)) {
    throw WrongCodec("no H.264 or H.265 video that can be read in it");
  }
  throw std::runtime_error(error->message);
}

std::vector<std::uint8_t> BytesOf(GstBuffer* buffer) {
  std::vector<std::uint8_t> bytes(gst_buffer_get_size(buffer));
  gst_buffer_extract(buffer, 0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace sightline::camera
