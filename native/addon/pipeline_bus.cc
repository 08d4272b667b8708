#include <string>
#include <utility>

#include "addon/black_box.h"
#include "addon/buffer_watch.h"
#include "addon/bus_events.h"
#include "addon/failure.h"
#include "addon/pipeline.h"
#include "addon/redirect_guard.h"

namespace sightline::addon {
namespace {

void NoteOnBus(const std::string& pipeline, const std::string& text) {
  NoteInBlackBox(BlackBoxKind::kBus, 0, pipeline + " " + text);
}

}  // namespace

void Pipeline::HandleMessage(GstMessage* message) {
  GstElement* pipeline = assembly_->pipeline();
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR:
      HandleError(message);
      break;
    case GST_MESSAGE_WARNING:
      PushIssue(message);
      break;
    case GST_MESSAGE_EOS:
      NoteOnBus(spec_.id, "end of stream");
      events_->Push("{\"type\":\"eos\"}");
      break;
    case GST_MESSAGE_APPLICATION:
      if (gst_message_has_name(message, kNodeEos)) {
        const std::string node = NodeOf(message, pipeline);
        NoteOnBus(spec_.id, "end of stream from " + node);
        events_->Push(NodeEvent("node-eos", node));
      }
      break;
    case GST_MESSAGE_STATE_CHANGED:
      if (GST_MESSAGE_SRC(message) == GST_OBJECT(pipeline)) HandleStateChange(message);
      break;
    case GST_MESSAGE_ELEMENT:
      PushElementMessage(message);
      break;
    case GST_MESSAGE_LATENCY:
      NoteOnBus(spec_.id, "latency changed");
      gst_bin_recalculate_latency(GST_BIN(pipeline));
      break;
    case GST_MESSAGE_CLOCK_LOST:
      NoteOnBus(spec_.id, "clock lost");
      // The new clock is chosen on the way from PAUSED to PLAYING.
      if (target_ == GST_STATE_PLAYING) {
        gst_element_set_state(pipeline, GST_STATE_PAUSED);
        gst_element_set_state(pipeline, GST_STATE_PLAYING);
      }
      break;
    default:
      break;
  }
}

void Pipeline::PushIssue(GstMessage* message) {
  std::string issue = DescribeIssue(message, assembly_->pipeline());
  NoteOnBus(spec_.id, issue);
  events_->PushDroppable(std::move(issue));
}

void Pipeline::PushElementMessage(GstMessage* message) {
  std::string text = DescribeElementMessage(message, assembly_->pipeline());
  NoteOnBus(spec_.id, text);
  events_->PushDroppable(std::move(text));
}

void Pipeline::HandleError(GstMessage* message) {
  GstElement* pipeline = assembly_->pipeline();
  const GstStructure* details = nullptr;
  gst_message_parse_error_details(message, &details);
  gint flow = GST_FLOW_OK;
  if (details != nullptr) gst_structure_get_int(details, "flow-return", &flow);
  // A demuxer only says "not linked", and some never say "no more pads": the cause is a choice of
  // ours.
  for (const auto& link : dynamic_links_) {
    if (flow != GST_FLOW_NOT_LINKED || link->from() != NodeOf(message, pipeline)) continue;
    if (const auto mismatch = link->Mismatch()) {
      const auto cause = FailureMessage(assembly_->Find(link->from()), *mismatch);
      PushIssue(cause.get());
    }
  }
  if (GST_IS_ELEMENT(GST_MESSAGE_SRC(message))) {
    GstElement* source = GST_ELEMENT(GST_MESSAGE_SRC(message));
    if (const auto redirect = RedirectOf(source))
      PushIssue(FailureMessage(source, *redirect).get());
  }
  PushIssue(message);
  SettlePending("The pipeline failed before it reached the state");
}

void Pipeline::HandleStateChange(GstMessage* message) {
  std::string change = DescribeStateChange(message);
  NoteOnBus(spec_.id, change);
  events_->Push(std::move(change));
  GstState now;
  GstState next;
  gst_message_parse_state_changed(message, nullptr, &now, &next);
  if (now == pending_.target && next == GST_STATE_VOID_PENDING) SettlePending(nullptr);
}

void Pipeline::DrainBus(GstMessageType types) {
  const Owned<GstBus> bus(gst_element_get_bus(RequireBuilt()));
  while (const auto message = Adopt(gst_bus_pop_filtered(bus.get(), types))) {
    HandleMessage(message.get());
  }
}

void Pipeline::SettlePending(const char* failure) {
  const auto done = std::exchange(pending_, PendingChange{});
  if (done.request == 0) return;
  if (failure == nullptr) {
    Reply(done.request, "\"done\"");
  } else {
    ReplyFailure(done.request, Failure(kPipelineFailed, failure));
  }
}

}  // namespace sightline::addon
