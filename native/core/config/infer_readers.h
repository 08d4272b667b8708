#pragma once

#include <map>
#include <string>

#include "core/config/infer_config.h"
#include "core/config/typed_values.h"

namespace sightline {

// Takes one key's value into the configuration; throws Error where it is not what the key needs.
using PropertyReader = void (*)(const Place&, InferConfig&);
using ClassAttrReader = void (*)(const Place&, ClassAttrs&);

// A reader for each of HonouredProperties(), TensorRtProperties() and HonouredClassAttrs().
const std::map<std::string, PropertyReader>& PropertyReaders();
const std::map<std::string, PropertyReader>& TensorRtReaders();
const std::map<std::string, ClassAttrReader>& ClassAttrReaders();

}  // namespace sightline
