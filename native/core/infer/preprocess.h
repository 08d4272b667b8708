#pragma once

#include <cstddef>
#include <cstdint>

namespace sightline {

// An 8-bit picture whose channels lie side by side in each pixel.
struct PixelView {
  const uint8_t* data = nullptr;
  size_t row_bytes = 0;
  int width = 0;
  int height = 0;
  int pixel_bytes = 3;            // 1, 3 or 4
  int channel_at[3] = {0, 1, 2};  // the byte of each of the network's channels in a pixel
};

// The network's input for one picture, and where in it the picture goes.
struct NetworkInput {
  float* data = nullptr;
  int width = 0;
  int height = 0;
  int channels = 3;  // 1 or 3
  bool channels_last = false;
  int left = 0;  // the picture's place
  int top = 0;
};

// y = scale * (x - mean), a mean for each channel.
struct Normalisation {
  float scale = 1;
  float mean[3] = {0, 0, 0};
};

// Writes the picture into its place. The rest of the input stays as it is.
void WritePicture(const PixelView& picture, const Normalisation& normalisation,
                  const NetworkInput& input);
// Writes black everywhere: what surrounds a picture that keeps its aspect.
void WriteBlack(const Normalisation& normalisation, const NetworkInput& input);

}  // namespace sightline
