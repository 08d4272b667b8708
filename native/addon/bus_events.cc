#include "addon/bus_events.h"

#include "addon/gst_ptr.h"
#include "addon/gvalue_json.h"
#include "addon/json.h"

namespace sightline::addon {
namespace {

const char* DomainName(GQuark domain) {
  if (domain == GST_RESOURCE_ERROR) return "resource";
  if (domain == GST_STREAM_ERROR) return "stream";
  if (domain == GST_LIBRARY_ERROR) return "library";
  if (domain == GST_CORE_ERROR) return "core";
  return "other";
}

void WriteSource(JsonWriter* json, GstMessage* message, GstElement* pipeline) {
  GstObject* poster = GST_MESSAGE_SRC(message);
  const std::string node = NodeOf(message, pipeline);
  const Owned<gchar> name(poster == nullptr ? nullptr : gst_object_get_name(poster));
  GstElementFactory* factory =
      GST_IS_ELEMENT(poster) ? gst_element_get_factory(GST_ELEMENT(poster)) : nullptr;
  json->Key("node").StringOrNull(node.empty() ? nullptr : node.c_str());
  json->Key("element").StringOrNull(name.get());
  json->Key("factory").StringOrNull(factory == nullptr ? nullptr : GST_OBJECT_NAME(factory));
}

struct Issue {
  const char* type;
  Owned<GError> error;
  Owned<gchar> debug;
  const GstStructure* details = nullptr;  // the message owns it
};

Issue ParseIssue(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  const GstStructure* details = nullptr;
  const bool fatal = GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR;
  if (fatal) {
    gst_message_parse_error(message, &error, &debug);
    gst_message_parse_error_details(message, &details);
  } else {
    gst_message_parse_warning(message, &error, &debug);
    gst_message_parse_warning_details(message, &details);
  }
  return {fatal ? "error" : "warning", Adopt(error), Owned<gchar>(debug), details};
}

}  // namespace

std::string NodeOf(GstMessage* message, GstElement* pipeline) {
  GstObject* poster = GST_MESSAGE_SRC(message);
  for (auto at = poster == nullptr ? nullptr : Ref(poster); at != nullptr;) {
    auto parent = Adopt(gst_object_get_parent(at.get()));
    if (parent.get() == GST_OBJECT(pipeline)) {
      return Owned<gchar>(gst_object_get_name(at.get())).get();
    }
    at = std::move(parent);
  }
  return "";
}

std::string DescribeIssue(GstMessage* message, GstElement* pipeline) {
  const Issue issue = ParseIssue(message);
  JsonWriter json;
  json.BeginObject().Key("type").String(issue.type);
  WriteSource(&json, message, pipeline);
  json.Key("domain").String(DomainName(issue.error->domain));
  json.Key("code").Int(issue.error->code);
  json.Key("message").StringOrNull(issue.error->message);
  json.Key("debug").StringOrNull(issue.debug.get());
  json.Key("details");
  if (issue.details == nullptr) {
    json.Null();
  } else {
    WriteStructure(&json, issue.details);
  }
  return json.EndObject().Take();
}

std::string DescribeStateChange(GstMessage* message) {
  GstState from;
  GstState to;
  GstState pending;
  gst_message_parse_state_changed(message, &from, &to, &pending);
  JsonWriter json;
  json.BeginObject().Key("type").String("state");
  const auto write = [&](const char* key, GstState state) {
    const Owned<gchar> lower(g_ascii_strdown(gst_element_state_get_name(state), -1));
    json.Key(key).String(lower.get());
  };
  write("from", from);
  write("to", to);
  json.Key("settled").Bool(pending == GST_STATE_VOID_PENDING);
  return json.EndObject().Take();
}

std::string DescribeElementMessage(GstMessage* message, GstElement* pipeline) {
  JsonWriter json;
  json.BeginObject().Key("type").String("element");
  WriteSource(&json, message, pipeline);
  json.Key("structure");
  const GstStructure* structure = gst_message_get_structure(message);
  if (structure == nullptr) {
    json.Null();
  } else {
    WriteStructure(&json, structure);
  }
  return json.EndObject().Take();
}

}  // namespace sightline::addon
