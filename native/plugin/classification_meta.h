#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <vector>

#include "core/encode/frame_message.h"

// How labels of slclassify travel: a structure "classification" on the object's
// GstVideoRegionOfInterestMeta for each attribute, {component uint, attribute string, label string,
// confidence double, value int (index of the label)}. Each slclassify of a pipeline adds its own.

void SlAddClassification(GstVideoRegionOfInterestMeta* region,
                         const sightline::Classification& item);
// Reads those of an object, by component; views live as long as the buffer's metadata. `region` may
// be null.
void SlReadClassifications(const GstVideoRegionOfInterestMeta* region,
                           std::vector<sightline::Classification>* items);
