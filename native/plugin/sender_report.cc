#include "plugin/sender_report.h"

#include <cstdio>
#include <memory>

namespace {

struct Unref {
  void operator()(gpointer object) const { gst_object_unref(object); }
};
struct GUnref {
  void operator()(gpointer object) const { g_object_unref(object); }
};
struct FreeStructure {
  void operator()(GstStructure* structure) const { gst_structure_free(structure); }
};
struct FreeIterator {
  void operator()(GstIterator* iterator) const { gst_iterator_free(iterator); }
};
template <class T>
using GstRef = std::unique_ptr<T, Unref>;
using ObjectRef = std::unique_ptr<GObject, GUnref>;
using IteratorRef = std::unique_ptr<GstIterator, FreeIterator>;

// Pads and bins between two elements are few; a longer way means a loop in the graph.
constexpr int kMaxSteps = 64;

bool IsRtpBin(GstElement* element) {
  const GstElementFactory* factory = gst_element_get_factory(element);
  return factory != nullptr && g_strcmp0(GST_OBJECT_NAME(factory), "rtpbin") == 0;
}

// Calls `visit` with each item until it returns true. A list that changes meanwhile is given up;
// the next second asks again.
template <class Visit>
bool AnyOf(IteratorRef iterator, Visit visit) {
  GValue item = G_VALUE_INIT;
  bool found = false;
  while (!found && gst_iterator_next(iterator.get(), &item) == GST_ITERATOR_OK) {
    found = visit(g_value_get_object(&item));
    g_value_reset(&item);
  }
  if (G_IS_VALUE(&item)) g_value_unset(&item);
  return found;
}

GstRef<GstElement> FindRtpBinIn(GstElement* element) {
  if (IsRtpBin(element)) return GstRef<GstElement>(GST_ELEMENT(gst_object_ref(element)));
  GstRef<GstElement> found;
  if (!GST_IS_BIN(element)) return found;
  AnyOf(IteratorRef(gst_bin_iterate_recurse(GST_BIN(element))), [&](gpointer item) {
    if (!IsRtpBin(GST_ELEMENT(item))) return false;
    found.reset(GST_ELEMENT(gst_object_ref(item)));
    return true;
  });
  return found;
}

// The sink pad whose peer is the next thing upstream of `element`: elements between the source and
// the stamp have one.
GstRef<GstPad> FirstSinkPad(GstElement* element) {
  GstRef<GstPad> found;
  AnyOf(IteratorRef(gst_element_iterate_sink_pads(element)), [&](gpointer item) {
    found.reset(GST_PAD(gst_object_ref(item)));
    return true;
  });
  return found;
}

GstRef<GstElement> FindRtpBinUpstream(GstPad* sink_pad) {
  GstRef<GstPad> pad(GST_PAD(gst_object_ref(sink_pad)));
  for (int step = 0; pad && step < kMaxSteps; ++step) {
    GstRef<GstPad> peer(gst_pad_get_peer(pad.get()));
    if (!peer) break;
    GstRef<GstObject> parent(gst_pad_get_parent(peer.get()));
    if (!parent) break;
    if (GST_IS_PAD(parent.get())) {  // inside of a bin's ghost pad: go on outside
      pad.reset(GST_PAD(parent.release()));
      continue;
    }
    GstElement* element = GST_ELEMENT(parent.get());
    if (auto rtpbin = FindRtpBinIn(element)) return rtpbin;
    pad = FirstSinkPad(element);
  }
  return nullptr;
}

// rtpbin names its pads recv_rtp_src_<session>_<ssrc>_<payload type>.
std::optional<guint> SessionOf(GstElement* rtpbin, guint32 ssrc) {
  std::optional<guint> session;
  AnyOf(IteratorRef(gst_element_iterate_src_pads(rtpbin)), [&](gpointer item) {
    guint number = 0, pad_ssrc = 0, payload_type = 0;
    if (std::sscanf(GST_PAD_NAME(item), "recv_rtp_src_%u_%u_%u", &number, &pad_ssrc,
                    &payload_type) != 3 ||
        pad_ssrc != ssrc) {
      return false;
    }
    session = number;
    return true;
  });
  return session;
}

std::optional<SlSenderReport> ReadReport(GObject* source) {
  GstStructure* stats = nullptr;
  g_object_get(source, "stats", &stats, nullptr);
  const std::unique_ptr<GstStructure, FreeStructure> owned(stats);
  gboolean have_report = FALSE;
  SlSenderReport report;
  if (stats == nullptr || !gst_structure_get_boolean(stats, "have-sr", &have_report) ||
      !have_report || !gst_structure_get_uint64(stats, "sr-ntptime", &report.ntp) ||
      !gst_structure_get_uint(stats, "sr-rtptime", &report.rtp)) {
    return std::nullopt;
  }
  return report;
}

}  // namespace

std::optional<SlSenderReport> SlFindSenderReport(GstPad* sink_pad, guint32 ssrc) {
  const auto rtpbin = FindRtpBinUpstream(sink_pad);
  if (!rtpbin) return std::nullopt;
  const auto number = SessionOf(rtpbin.get(), ssrc);
  if (!number) return std::nullopt;

  GObject* session = nullptr;
  g_signal_emit_by_name(rtpbin.get(), "get-internal-session", *number, &session);
  const ObjectRef owned_session(session);
  if (session == nullptr) return std::nullopt;
  GObject* source = nullptr;
  g_signal_emit_by_name(session, "get-source-by-ssrc", ssrc, &source);
  const ObjectRef owned_source(source);
  if (source == nullptr) return std::nullopt;
  return ReadReport(source);
}
