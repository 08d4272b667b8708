#pragma once

// DeepStream 9.x: boxes, texts and masks as the drawing library holds them. See meta.h.

#ifdef SIGHTLINE_NVIDIA_HEADERS

#include <nvll_osd_struct.h>

namespace sightline::nvds {
using ::NvBbox_Coords;
using ::NvOSD_ColorParams;
using ::NvOSD_FontParams;
using ::NvOSD_MaskParams;
using ::NvOSD_RectParams;
using ::NvOSD_TextParams;
}  // namespace sightline::nvds

#else

namespace sightline::nvds {

struct NvBbox_Coords {
  float left;  // pixels of the batch's frames
  float top;
  float width;
  float height;
};

struct NvOSD_ColorParams {
  double red;
  double green;
  double blue;
  double alpha;
};

struct NvOSD_FontParams {
  char* font_name;
  unsigned int font_size;
  NvOSD_ColorParams font_color;
};

struct NvOSD_TextParams {
  char* display_text;
  unsigned int x_offset;
  unsigned int y_offset;
  NvOSD_FontParams font_params;
  int set_bg_clr;
  NvOSD_ColorParams text_bg_clr;
};

// Up to 8.0 there is no `rotation_angle`, and everything behind a box stands 8 bytes earlier.
struct NvOSD_RectParams {
  float left;  // pixels of the batch's frames
  float top;
  float width;
  float height;
  unsigned int border_width;
  NvOSD_ColorParams border_color;
  unsigned int has_bg_color;
  unsigned int reserved;
  NvOSD_ColorParams bg_color;
  int has_color_info;
  int color_id;
  float rotation_angle;  // degrees around the box' middle; 0 upright
};

struct NvOSD_MaskParams {
  float* data;        // [height * width], row by row over the object's box
  unsigned int size;  // of `data`, bytes
  float threshold;
  unsigned int width;
  unsigned int height;
};

}  // namespace sightline::nvds

#endif
