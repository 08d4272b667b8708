#pragma once

#include <cstdint>
#include <string>
#include <vector>

// What an element is told about the streams and models of its batches. Both are texts of entries
// joined by ";", whose parts are percent-encoded (RFC 3986), so that any name can stand in them.

struct StreamName {
  std::uint32_t pad = 0;  // of the muxer
  std::string stream_id;
  std::string sensor_id;
};

struct ModelName {
  std::uint32_t component = 0;
  std::string name;
  std::string version;
};

// "0=cam-1/gate;1=cam-2": pad=streamId/sensorId; without a sensor it is named like the stream.
// Throws sightline::Error (kSettings) that names the entry.
std::vector<StreamName> ParseStreamNames(const std::string& text);
// "1=peoplenet/2.6;2=colour/1": componentId=name/version; the version may be left out.
std::vector<ModelName> ParseModelNames(const std::string& text);
