#include "core/infer/preprocess.h"

// One version of the inner loops for any x86-64 and one for AVX2, chosen when the library is
// loaded. Sanitizers run before that choice can be made, so their builds take the plain version.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SIGHTLINE_VECTORISED __attribute__((target_clones("avx2", "default")))
#else
#define SIGHTLINE_VECTORISED
#endif

namespace sightline {
namespace {

SIGHTLINE_VECTORISED
void PlaneRow1(const uint8_t* pixels, int width, float scale, float mean, float* out) {
  for (int x = 0; x < width; ++x) out[x] = (static_cast<float>(pixels[x]) - mean) * scale;
}

SIGHTLINE_VECTORISED
void PlaneRow3(const uint8_t* pixels, int width, float scale, float mean, float* out) {
  for (int x = 0; x < width; ++x) out[x] = (static_cast<float>(pixels[3 * x]) - mean) * scale;
}

SIGHTLINE_VECTORISED
void PlaneRow4(const uint8_t* pixels, int width, float scale, float mean, float* out) {
  for (int x = 0; x < width; ++x) out[x] = (static_cast<float>(pixels[4 * x]) - mean) * scale;
}

void WritePlanes(const PixelView& picture, const Normalisation& normalisation,
                 const NetworkInput& input) {
  const auto row = picture.pixel_bytes == 1   ? PlaneRow1
                   : picture.pixel_bytes == 3 ? PlaneRow3
                                              : PlaneRow4;
  const size_t width = static_cast<size_t>(input.width);
  const size_t plane = width * static_cast<size_t>(input.height);
  for (int y = 0; y < picture.height; ++y) {
    const uint8_t* pixels = picture.data + static_cast<size_t>(y) * picture.row_bytes;
    float* out =
        input.data + static_cast<size_t>(input.top + y) * width + static_cast<size_t>(input.left);
    for (int c = 0; c < input.channels; ++c) {
      row(pixels + picture.channel_at[c], picture.width, normalisation.scale, normalisation.mean[c],
          out + static_cast<size_t>(c) * plane);
    }
  }
}

SIGHTLINE_VECTORISED
void InterleavedRow(const uint8_t* pixels, const PixelView& picture,
                    const Normalisation& normalisation, int channels, float* out) {
  for (int x = 0; x < picture.width; ++x, pixels += picture.pixel_bytes) {
    for (int c = 0; c < channels; ++c) {
      *out++ = (static_cast<float>(pixels[picture.channel_at[c]]) - normalisation.mean[c]) *
               normalisation.scale;
    }
  }
}

}  // namespace

void WritePicture(const PixelView& picture, const Normalisation& normalisation,
                  const NetworkInput& input) {
  if (!input.channels_last) {
    WritePlanes(picture, normalisation, input);
    return;
  }
  for (int y = 0; y < picture.height; ++y) {
    const size_t pixel = static_cast<size_t>(input.top + y) * static_cast<size_t>(input.width) +
                         static_cast<size_t>(input.left);
    InterleavedRow(picture.data + static_cast<size_t>(y) * picture.row_bytes, picture,
                   normalisation, input.channels,
                   input.data + pixel * static_cast<size_t>(input.channels));
  }
}

void WriteBlack(const Normalisation& normalisation, const NetworkInput& input) {
  const size_t pixels = static_cast<size_t>(input.width) * static_cast<size_t>(input.height);
  const size_t channels = static_cast<size_t>(input.channels);
  for (size_t c = 0; c < channels; ++c) {
    const float black = (0 - normalisation.mean[c]) * normalisation.scale;
    for (size_t i = 0; i < pixels; ++i) {
      input.data[input.channels_last ? i * channels + c : c * pixels + i] = black;
    }
  }
}

}  // namespace sightline
