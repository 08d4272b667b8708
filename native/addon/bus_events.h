#pragma once

#include <gst/gst.h>

#include <string>

namespace sightline::addon {

// Id of the graph's node that posted the message, also when the poster is an element deep inside of
// it; empty for the pipeline itself.
std::string NodeOf(GstMessage* message, GstElement* pipeline);
// Errors and warnings as JSON: who posted it (node of the graph, element, factory), domain, code,
// message, debug text and details.
std::string DescribeIssue(GstMessage* message, GstElement* pipeline);
// The pipeline's own state change as JSON.
std::string DescribeStateChange(GstMessage* message);
// An element message as JSON, with its structure.
std::string DescribeElementMessage(GstMessage* message, GstElement* pipeline);

}  // namespace sightline::addon
