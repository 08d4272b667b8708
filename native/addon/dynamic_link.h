#pragma once

#include <gst/gst.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "addon/assembly.h"
#include "addon/failure.h"
#include "addon/graph_spec.h"

namespace sightline::addon {

// Carries out one GraphChoice: waits for the pads of an element and builds the chain for the first
// pad that an alternative takes. Runs on streaming threads; failures go to the bus as errors whose
// details hold our code.
class DynamicLink {
 public:
  // `assembly` must outlive the pipeline's last streaming thread. Throws Failure.
  DynamicLink(const ChoiceSpec& choice, Assembly* assembly);

  const std::string& from() const { return choice_.from; }
  // Why no pad was taken so far; nothing when one was, or none was offered.
  std::optional<Failure> Mismatch();

 private:
  static void OnPadAdded(GstElement* element, GstPad* pad, gpointer self);
  static void OnNoMorePads(GstElement* element, gpointer self);
  static GstPadProbeReturn OnLeftOver(GstPad* pad, GstPadProbeInfo* info, gpointer self);

  void TakePad(GstPad* pad);
  void CheckTaken();
  void BuildChain(const AlternativeSpec& alternative, GstPad* pad);
  Failure MismatchLocked() const;

  const ChoiceSpec choice_;
  Assembly* const assembly_;
  std::vector<Owned<GstCaps>> caps_;  // of the alternatives, in their order
  std::mutex mutex_;
  bool taken_ = false;
  std::string offered_;
};

// `failure` as an error message of `element`, with its code and facts in the details.
Owned<GstMessage> FailureMessage(GstElement* element, const Failure& failure);

}  // namespace sightline::addon
