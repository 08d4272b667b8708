#pragma once

#include <string>

#include "core/config/infer_config.h"

namespace sightline {

// The first key by which two configurations mean different networks, or different pictures for
// them; empty where they differ in nothing but what is kept of the network's results (thresholds,
// suppression, sizes, regions, classes that are left out).
std::string NetworkDifference(const InferConfig& a, const InferConfig& b);

}  // namespace sightline
