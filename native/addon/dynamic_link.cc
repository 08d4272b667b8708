#include "addon/dynamic_link.h"

#include "common/guard.h"

namespace sightline::addon {
namespace {

Owned<GstCaps> PadCaps(GstPad* pad) {
  GstCaps* current = gst_pad_get_current_caps(pad);
  return Adopt(current != nullptr ? current : gst_pad_query_caps(pad, nullptr));
}

// Runs `body` for a signal: our own failures keep their code, anything else becomes a general
// error.
template <class Body>
void Report(GstElement* element, Body&& body) {
  Guard(element, false, [&] {
    try {
      body();
    } catch (const Failure& failure) {
      gst_element_post_message(element, FailureMessage(element, failure).release());
    }
    return true;
  });
}

}  // namespace

DynamicLink::DynamicLink(const ChoiceSpec& choice, Assembly* assembly)
    : choice_(choice), assembly_(assembly) {
  for (const auto& alternative : choice.alternatives) {
    caps_.push_back(Adopt(gst_caps_from_string(alternative.caps.c_str())));
    if (caps_.back() == nullptr) {
      throw Failure(kSpecInvalid, "Choice " + choice.from + " -> " + choice.to + ": \"" +
                                      alternative.caps + "\" is not a caps description");
    }
  }
  GstElement* element = assembly->Find(choice.from);
  if (element == nullptr || assembly->Find(PadName(choice.to).node) == nullptr) {
    throw Failure(kSpecInvalid,
                  "Choice " + choice.from + " -> " + choice.to + " names a node that is not there",
                  {{"from", choice.from}, {"to", choice.to}});
  }
  g_signal_connect(element, "pad-added", G_CALLBACK(OnPadAdded), this);
  g_signal_connect(element, "no-more-pads", G_CALLBACK(OnNoMorePads), this);
}

void DynamicLink::OnPadAdded(GstElement* element, GstPad* pad, gpointer self) {
  Report(element, [&] { static_cast<DynamicLink*>(self)->TakePad(pad); });
}

void DynamicLink::OnNoMorePads(GstElement* element, gpointer self) {
  Report(element, [&] { static_cast<DynamicLink*>(self)->CheckTaken(); });
}

void DynamicLink::TakePad(GstPad* pad) {
  if (GST_PAD_DIRECTION(pad) != GST_PAD_SRC) return;
  const auto caps = PadCaps(pad);
  const std::lock_guard<std::mutex> lock(mutex_);
  if (taken_) return;
  for (size_t i = 0; i < caps_.size(); i++) {
    if (!gst_caps_can_intersect(caps_[i].get(), caps.get())) continue;
    taken_ = true;
    BuildChain(choice_.alternatives[i], pad);
    return;
  }
  offered_ += (offered_.empty() ? "" : ", ") + DescribeCaps(caps.get());
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM, OnLeftOver, this, nullptr);
}

// parsebin never says "no more pads": the end of a pad that nobody took says it instead.
GstPadProbeReturn DynamicLink::OnLeftOver(GstPad*, GstPadProbeInfo* info, gpointer self) {
  auto* link = static_cast<DynamicLink*>(self);
  if (GST_EVENT_TYPE(GST_PAD_PROBE_INFO_EVENT(info)) != GST_EVENT_EOS) return GST_PAD_PROBE_OK;
  OnNoMorePads(link->assembly_->Find(link->choice_.from), link);
  return GST_PAD_PROBE_REMOVE;
}

void DynamicLink::CheckTaken() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!taken_) throw MismatchLocked();
}

std::optional<Failure> DynamicLink::Mismatch() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (taken_ || offered_.empty()) return std::nullopt;
  return MismatchLocked();
}

Failure DynamicLink::MismatchLocked() const {
  std::string wanted;
  for (const auto& caps : caps_) {
    wanted += (wanted.empty() ? "" : " or ") + DescribeCaps(caps.get());
  }
  return Failure(kSourceUnsupported,
                 "Node \"" + choice_.from + "\" offers " +
                     (offered_.empty() ? "no stream" : offered_) + "; this pipeline takes " +
                     wanted,
                 {{"node", choice_.from}, {"offered", offered_}});
}

void DynamicLink::BuildChain(const AlternativeSpec& alternative, GstPad* pad) {
  std::vector<GstElement*> chain;
  try {
    for (const auto& node : alternative.chain) chain.push_back(assembly_->Add(node));
  } catch (const Failure& failure) {
    if (failure.code() != kBackendUnsupported) throw;
    throw Failure(kSourceUnsupported,
                  "The stream is " + DescribeCaps(PadCaps(pad).get()) + ", and " + failure.what(),
                  failure.details());
  }
  for (size_t i = alternative.chain.size(); i-- > 0;) {
    const bool last = i + 1 == alternative.chain.size();
    assembly_->Link({alternative.chain[i].id, last ? choice_.to : alternative.chain[i + 1].id, ""});
  }
  for (const auto& link : alternative.links) assembly_->Link(link);
  for (size_t i = chain.size(); i-- > 0;) {
    if (!gst_element_sync_state_with_parent(chain[i])) {
      throw Failure(kPipelineFailed, "Node \"" + alternative.chain[i].id + "\" cannot be started",
                    {{"node", alternative.chain[i].id}});
    }
  }
  const PadName target(chain.empty() ? choice_.to : alternative.chain.front().id);
  const Owned<GstElement> source(gst_pad_get_parent_element(pad));
  const Owned<gchar> pad_name(gst_pad_get_name(pad));
  if (!gst_element_link_pads(source.get(), pad_name.get(), assembly_->Find(target.node),
                             target.pad_or_null())) {
    throw Failure(kPipelineFailed,
                  "Pad " + choice_.from + "." + pad_name.get() + " (" +
                      DescribeCaps(PadCaps(pad).get()) + ") cannot be linked to " + target.node,
                  {{"node", choice_.from}});
  }
}

Owned<GstMessage> FailureMessage(GstElement* element, const Failure& failure) {
  GstStructure* details =
      gst_structure_new("sightline", "sl-code", G_TYPE_STRING, failure.code().c_str(), nullptr);
  for (const auto& [name, value] : failure.details()) {
    gst_structure_set(details, name.c_str(), G_TYPE_STRING, value.c_str(), nullptr);
  }
  const Owned<GError> error(
      g_error_new_literal(GST_CORE_ERROR, GST_CORE_ERROR_FAILED, failure.what()));
  return Adopt(
      gst_message_new_error_with_details(GST_OBJECT(element), error.get(), nullptr, details));
}

}  // namespace sightline::addon
