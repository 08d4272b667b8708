#pragma once

#include <gst/gst.h>

#include "core/infer/engine.h"
#include "core/infer/provider.h"

// The properties by which slinfer and slclassify are told what runs the model.
constexpr guint kProviderProperties = 6;

// Installs them with the numbers `first` to `first + kProviderProperties - 1`.
void SlProviderInstallProperties(GObjectClass* klass, guint first);
// Called under the object's lock; false for a number that is none of them. `engine`: null where the
// element does not run.
bool SlProviderSet(sightline::ProviderOptions& options, guint id, guint first, const GValue* value);
bool SlProviderGet(const sightline::ProviderOptions& options, const sightline::Engine* engine,
                   guint id, guint first, GValue* value);

// Posts a warning with the reason where something else runs the model than was wanted.
void SlProviderTellFallback(GstElement* element, const sightline::Engine& engine);
