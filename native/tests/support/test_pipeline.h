#pragma once

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace sightline::test {

struct FreeSample {
  void operator()(GstSample* sample) const { gst_sample_unref(sample); }
};
using Sample = std::unique_ptr<GstSample, FreeSample>;

struct UnrefObject {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
using Element = std::unique_ptr<GstElement, UnrefObject>;

// A pipeline from gst-launch text, ended when it goes out of scope. No wait in it is without limit.
class TestPipeline {
 public:
  static constexpr GstClockTime kLimit = 20 * GST_SECOND;

  explicit TestPipeline(const std::string& text) {
    GError* error = nullptr;
    GstElement* parsed = gst_parse_launch(text.c_str(), &error);
    if (parsed != nullptr && !GST_IS_PIPELINE(parsed)) {  // a single element
      GstElement* pipeline = gst_pipeline_new(nullptr);
      gst_bin_add(GST_BIN(pipeline), parsed);
      parsed = pipeline;
    }
    pipeline_.reset(parsed);
    if (error == nullptr) return;
    const std::string message = error->message + (" in: " + text);
    g_error_free(error);
    throw std::runtime_error(message);  // fails the test at once
  }
  ~TestPipeline() {
    if (pipeline_) SetState(GST_STATE_NULL);
  }
  TestPipeline(const TestPipeline&) = delete;
  TestPipeline& operator=(const TestPipeline&) = delete;

  GstElement* get() const { return pipeline_.get(); }
  Element Find(const char* name) const {
    return Element(gst_bin_get_by_name(GST_BIN(pipeline_.get()), name));
  }

  // Whether the state was reached within the limit.
  bool SetState(GstState state) {
    if (gst_element_set_state(pipeline_.get(), state) == GST_STATE_CHANGE_FAILURE) return false;
    const auto result = gst_element_get_state(pipeline_.get(), nullptr, nullptr, kLimit);
    return result == GST_STATE_CHANGE_SUCCESS || result == GST_STATE_CHANGE_NO_PREROLL;
  }

  // The next sample of an appsink, or null at the end of the stream or the limit.
  Sample Pull(const char* sink = "out") const {
    const Element element = Find(sink);
    return Sample(gst_app_sink_try_pull_sample(GST_APP_SINK(element.get()), kLimit));
  }

  // Waits for the end of the stream; gives the error's text where there is one.
  std::string RunToEnd() {
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    return WaitForEnd();
  }
  std::string WaitForEnd() {
    GstBus* bus = gst_element_get_bus(pipeline_.get());
    GstMessage* message = gst_bus_timed_pop_filtered(
        bus, kLimit, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR));
    gst_object_unref(bus);
    if (message == nullptr) return "no end within the limit";
    std::string text;
    if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
      GError* error = nullptr;
      gst_message_parse_error(message, &error, nullptr);
      text = error->message;
      g_error_free(error);
    }
    gst_message_unref(message);
    return text;
  }

 private:
  Element pipeline_;
};

}  // namespace sightline::test
