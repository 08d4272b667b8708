#include <gst/gst.h>
#include <gtest/gtest.h>

// The element tests run against the built plugin, found through GST_PLUGIN_PATH as in any
// application.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  gst_init(&argc, &argv);
  return RUN_ALL_TESTS();
}
