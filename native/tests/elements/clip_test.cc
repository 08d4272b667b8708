#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>

#include "tests/support/frame_buffers.h"
#include "tests/support/test_pipeline.h"

// The real detector and tracker on the real clip of pedestrians. The runner names the files;
// without them the test says so, and fails where nobody reads what it says.

namespace sightline::test {
namespace {

constexpr int kWidth = 768, kHeight = 576;
constexpr int kFrames = 120;
constexpr int kLossBuffer = 30;  // sltrack's default

struct Life {
  int first = 0;
  int last = 0;
  int frames = 0;
  int longest_gap = 0;
  Detection box;
};

using Lives = std::map<guint64, Life>;

void Follow(int frame, GstBuffer* buffer, Lives* lives) {
  for (const SeenObject& object : ObjectsOn(buffer, kWidth, kHeight)) {
    if (object.label != "person") continue;
    const auto [known, born] = lives->try_emplace(object.id, Life{frame, frame, 0, 0, object.box});
    Life& life = known->second;
    ASSERT_TRUE(born || life.last < frame) << "id " << object.id << " twice on frame " << frame;
    if (life.last == frame - 1) {
      // Nobody in this clip walks farther than half of his height in a tenth of a second.
      EXPECT_LT(std::abs(object.box.left - life.box.left), object.box.height / 2)
          << "id " << object.id << " jumps on frame " << frame;
    }
    life.longest_gap = std::max(life.longest_gap, frame - life.last);
    life.last = frame;
    life.box = object.box;
    ++life.frames;
  }
}

TEST(ClipTest, PedestriansKeepTheirIds) {
  const char* clip = std::getenv("SIGHTLINE_DEMO_CLIP");
  const char* model = std::getenv("SIGHTLINE_MODEL_CONFIG");
  if (clip == nullptr || model == nullptr) {
    const char* ci = std::getenv("CI");
    ASSERT_FALSE(ci != nullptr && std::string(ci) == "true")
        << "SIGHTLINE_DEMO_CLIP and SIGHTLINE_MODEL_CONFIG must name the clip and the model";
    GTEST_SKIP() << "Set SIGHTLINE_DEMO_CLIP and SIGHTLINE_MODEL_CONFIG to run this test";
  }
  TestPipeline pipeline(std::string("filesrc location=\"") + clip +
                        "\" ! qtdemux ! h264parse ! avdec_h264 max-threads=1 ! slstamp "
                        "stage=decode ! slinfer config-file-path=\"" +
                        model + "\" ! sltrack ! appsink name=out sync=false max-buffers=4");
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  Lives lives;
  for (int frame = 0; frame < kFrames; ++frame) {
    const Sample sample = pipeline.Pull();
    ASSERT_TRUE(sample) << "frame " << frame;
    Follow(frame, gst_sample_get_buffer(sample.get()), &lives);
  }

  int settled = 0, fleeting = 0;
  for (const auto& [id, life] : lives) {
    EXPECT_LE(life.longest_gap, kLossBuffer + 1) << "id " << id << " came back too late";
    if (life.frames >= 40) ++settled;
    if (life.frames < 10 && life.last < kFrames - 10) ++fleeting;
  }
  // About a dozen people cross the picture in these frames, some of them behind others.
  EXPECT_GE(settled, 4);
  EXPECT_LE(lives.size(), 20U);
  EXPECT_LE(fleeting, 4);
}

}  // namespace
}  // namespace sightline::test
