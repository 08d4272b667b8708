#pragma once

#include "addon/record.h"

namespace sightline::addon {

// Where output buffers go. Called on streaming threads: must not block.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  // False when the record was not taken (full, or nobody reads any longer).
  virtual bool Offer(Record record) = 0;
};

}  // namespace sightline::addon
