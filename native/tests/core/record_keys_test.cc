#include "core/encode/record_keys.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

FrameIdentity At(std::uint64_t unix_seconds) {
  FrameIdentity identity;
  identity.stream_id = "dock-3";
  identity.session = "01HF";
  identity.sequence = UINT64_MAX;
  identity.capture_unix_ns = unix_seconds * 1'000'000'000;
  return identity;
}

TEST(RecordKeysTest, NameAFrameAndItsPicture) {
  std::string key = "what was here before";
  WriteFrameRecordId(At(0), &key);
  EXPECT_EQ(key, "dock-3/01HF/18446744073709551615");
  WriteImageRecordId(At(0), &key);
  EXPECT_EQ(key, "dock-3/01HF/18446744073709551615/image");
  FrameIdentity looked_at_twice = At(0);
  looked_at_twice.record_suffix = "/model";
  WriteFrameRecordId(looked_at_twice, &key);
  EXPECT_EQ(key, "dock-3/01HF/18446744073709551615/model");
}

TEST(RecordKeysTest, FileAPictureByTheHourInUtc) {
  std::string key;
  WriteImageRef(At(1'700'000'000), &key);
  EXPECT_EQ(key, "dock-3/2023/11/14/22/01HF-18446744073709551615.jpg");
  WriteImageRef(At(1'709'251'199), &key);
  EXPECT_EQ(key, "dock-3/2024/02/29/23/01HF-18446744073709551615.jpg");
  WriteImageRef(At(0), &key);
  EXPECT_EQ(key, "dock-3/1970/01/01/00/01HF-18446744073709551615.jpg");
}

}  // namespace
}  // namespace sightline
