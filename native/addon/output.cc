#include "addon/output.h"

#include <utility>

#include "addon/failure.h"
#include "addon/gst_ptr.h"
#include "common/guard.h"

namespace sightline::addon {

Output::Output(std::string node, uint32_t kind, uint32_t index, std::shared_ptr<RecordSink> sink)
    : node_(std::move(node)), kind_(kind), index_(index), sink_(std::move(sink)) {}

std::shared_ptr<Output> Output::Attach(GstElement* element, uint32_t kind, uint32_t index,
                                       std::shared_ptr<RecordSink> sink) {
  const Owned<gchar> name(gst_element_get_name(element));
  if (!GST_IS_APP_SINK(element)) {
    throw Failure(kSpecInvalid,
                  std::string("Node \"") + name.get() + "\" has an outputKind but is no appsink",
                  {{"node", name.get()}});
  }
  const std::shared_ptr<Output> output(new Output(name.get(), kind, index, std::move(sink)));
  GstAppSinkCallbacks callbacks = {};
  callbacks.new_sample = OnSample;
  // The appsink holds a reference of its own, so that a last sample finds the counters alive.
  gst_app_sink_set_callbacks(
      GST_APP_SINK(element), &callbacks, new std::shared_ptr<Output>(output),
      [](gpointer held) { delete static_cast<std::shared_ptr<Output>*>(held); });
  return output;
}

GstFlowReturn Output::OnSample(GstAppSink* appsink, gpointer self) {
  auto* output = static_cast<std::shared_ptr<Output>*>(self)->get();
  return Guard(appsink, GST_FLOW_ERROR, [&] { return output->TakeSample(appsink); });
}

GstFlowReturn Output::TakeSample(GstAppSink* appsink) {
  const Owned<GstSample> sample(gst_app_sink_pull_sample(appsink));
  if (sample == nullptr) return GST_FLOW_EOS;
  GstBuffer* buffer = gst_sample_get_buffer(sample.get());
  if (buffer == nullptr) return GST_FLOW_OK;
  Record record(gst_buffer_ref(buffer), kind_, index_);
  const size_t size = record.size();
  if (sink_->Offer(std::move(record))) {
    records_++;
    bytes_ += size;
  } else {
    dropped_++;
  }
  return GST_FLOW_OK;
}

}  // namespace sightline::addon
