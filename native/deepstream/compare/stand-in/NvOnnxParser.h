#pragma once

// Stands in for TensorRT's header of this name, of which nvdsinfer_custom_impl.h names some classes
// that a box parser has nothing to do with.
