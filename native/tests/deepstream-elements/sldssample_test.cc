#include <gtest/gtest.h>

#include <set>

#include "tests/support/ds_pipeline.h"

namespace sightline::test {
namespace {

constexpr char kSystemCaps[] = "video/x-raw,format=I420,width=16,height=16,framerate=25/1";

// Frames of one camera 100 ms apart; odd ones have an object.
void PushFrames(DsPipeline* pipeline, int count) {
  for (int i = 0; i < count; ++i) {
    const GstClockTime pts = static_cast<GstClockTime>(i) * 100 * GST_MSECOND;
    auto batch = std::make_unique<DsBatch>();
    auto* frame = batch->AddFrame(0, i, pts);
    if (i % 2 == 1) batch->AddObject(frame, 0, "person", 1, 1, 5, 5);
    pipeline->Push(ToBuffer(std::move(batch), pts));
  }
  pipeline->End();
}

// image_ref of each message; only marked frames have one.
std::vector<std::string> FrameRefs(DsPipeline* pipeline) {
  std::vector<std::string> refs;
  while (const Sample sample = pipeline->Pull("out")) {
    const MessageFields message(BytesOf(gst_sample_get_buffer(sample.get())));
    if (!message.text(109).empty()) refs.push_back(message.text(109));
  }
  return refs;
}

// A batch of one frame stands for what nvstreamdemux gives; the pictures go through a real encoder,
// which drops NvDsBatchMeta.
constexpr char kBranches[] =
    " ! tee name=t t. ! queue ! sldsmeta session=s streams=0=cam-1 ! appsink name=out sync=false "
    "max-buffers=0 t. ! queue ! sldssample name=filter action=filter ! sldssample name=name "
    "action=name ! videoconvert ! jpegenc ! slimage name=image strict=true stream-id=cam-1 "
    "session=s ! appsink name=pictures sync=false async=false max-buffers=0";

TEST(SlDsSampleTest, EachChosenFrameHasItsPictureAndNoOther) {
  DsPipeline pipeline(std::string("sldssample name=mark interval-ms=300") + kBranches, kSystemCaps);
  PushFrames(&pipeline, 10);
  const auto refs = FrameRefs(&pipeline);
  ASSERT_EQ(refs.size(), 4U) << "frames 0, 3, 6, 9";
  std::vector<std::string> pictures;
  while (const Sample sample = pipeline.Pull("pictures")) {
    const MessageFields image(BytesOf(gst_sample_get_buffer(sample.get())));
    EXPECT_EQ(image.text(1), "cam-1");
    EXPECT_EQ(image.text(2), "s");
    EXPECT_EQ(image.number(3), pictures.size() * 3);
    EXPECT_EQ(image.number(4), pictures.size() * 300 * GST_MSECOND);
    EXPECT_EQ(image.number(6), 1U) << "the clock of the frame's message";
    EXPECT_EQ(image.text(12).substr(0, 2), "\xff\xd8");
    pictures.push_back(image.text(10));
  }
  EXPECT_EQ(pictures, refs);
  EXPECT_EQ(pipeline.Number("mark", "marked"), 4U);
  EXPECT_EQ(pipeline.Number("mark", "passed"), 10U);
  EXPECT_EQ(pipeline.Number("filter", "dropped"), 6U);
  EXPECT_EQ(pipeline.Number("name", "passed"), 4U);
  EXPECT_EQ(pipeline.Number("image", "images"), 4U);
  EXPECT_EQ(pipeline.Number("image", "dropped"), 0U);
}

TEST(SlDsSampleTest, MayWantObjects) {
  DsPipeline pipeline(std::string("sldssample interval-ms=300 when=objects") + kBranches,
                      kSystemCaps);
  PushFrames(&pipeline, 10);
  std::set<std::string> numbers;
  for (const std::string& ref : FrameRefs(&pipeline)) {
    numbers.insert(ref.substr(ref.rfind('-') + 1));
  }
  EXPECT_EQ(numbers, (std::set<std::string>{"1.jpg", "5.jpg", "9.jpg"}));
}

TEST(SlDsSampleTest, EachStreamHasItsOwnInterval) {
  DsPipeline pipeline(
      "sldssample name=mark interval-ms=1000 ! sldsmeta session=s ! appsink name=out sync=false");
  for (int i = 0; i < 3; ++i) {
    auto batch = std::make_unique<DsBatch>();
    for (guint pad = 0; pad < 3; ++pad) {
      if (static_cast<guint>(i) < pad) continue;  // the third camera comes last
      batch->AddFrame(pad, i, static_cast<guint64>(i) * 100 * GST_MSECOND);
    }
    pipeline.Push(std::move(batch));
  }
  pipeline.End();
  EXPECT_EQ(FrameRefs(&pipeline).size(), 3U);
  EXPECT_EQ(pipeline.Number("mark", "marked"), 3U);
}

TEST(SlDsSampleTest, BranchesAgreeOnTheNumberWhateverIsLost) {
  // The muxer's memory is used again: what stands in the frame's fields is another frame's mark.
  DsPipeline pipeline(
      "sldssample interval-ms=0 ! identity drop-probability=0 ! sldsmeta session=s streams=0=a ! "
      "appsink name=out sync=false");
  const gint64 stale[4] = {0x534C4D41524B0101, 77, 78, 0x534C4D41524B0101 ^ 77 ^ 78};
  for (const gint frame_num : {0, 1, 0}) {
    auto batch = std::make_unique<DsBatch>();
    auto* frame = batch->AddFrame(0, frame_num);
    std::copy(std::begin(stale), std::end(stale), frame->misc_frame_info);
    pipeline.Push(std::move(batch));
  }
  for (const char* id : {"a/s/0", "a/s/1", "a/s/2"}) {
    EXPECT_EQ(pipeline.Message().text(113), id);
  }
}

TEST(SlDsSampleTest, BuffersWithoutABatchAreSaidOnce) {
  for (const std::string action : {"mark", "filter", "name"}) {
    DsPipeline pipeline("sldssample name=sample action=" + action +
                        " ! appsink name=out sync=false");
    for (int i = 0; i < 3; ++i) pipeline.Push(gst_buffer_new_allocate(nullptr, 16, nullptr));
    pipeline.End();
    int passed = 0;
    while (pipeline.Pull()) ++passed;
    EXPECT_EQ(passed, action == "mark" ? 3 : 0) << "a filter has nothing to let pass";
    EXPECT_EQ(pipeline.Number("sample", "dropped"), action == "mark" ? 0U : 3U);
    EXPECT_EQ(pipeline.Warnings().size(), 1U);
  }
}

TEST(SlDsSampleTest, APictureThatLostItsNameIsNotStoredUnderAnother) {
  DsPipeline pipeline("jpegenc ! slimage name=image strict=true ! appsink name=out sync=false",
                      kSystemCaps);
  PushFrames(&pipeline, 2);
  EXPECT_TRUE(pipeline.AtEnd());
  EXPECT_EQ(pipeline.Number("image", "dropped"), 2U);
  EXPECT_EQ(pipeline.Warnings().size(), 1U);
}

}  // namespace
}  // namespace sightline::test
