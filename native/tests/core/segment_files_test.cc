#include "core/record/segment_files.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace sightline {
namespace {

class SegmentFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "segment-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  std::string Path(const char* name) const { return folder_ + "/" + name; }
  static std::string Read(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }
  static bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

  std::string folder_;
};

TEST_F(SegmentFilesTest, NotesAreThereBeforeTheMediaTheyAreOf) {
  SegmentFiles files(Path("a.mp4"), Path("a.notes"), 0);
  ASSERT_TRUE(files.Open({7, 3, 11}));
  files.AddNote({1, 2, 3, 4, 5, true});
  EXPECT_EQ(Read(Path("a.notes")).size(), 32U) << "notes wait for their fragment";
  ASSERT_TRUE(files.Write("abc", 3, 0, 1));
  EXPECT_EQ(Read(Path("a.notes")).size(), 64U);
  EXPECT_EQ(Read(Path("a.mp4.part")), "abc");
  const std::string notes = Read(Path("a.notes"));
  EXPECT_EQ(notes.substr(0, 8), "SLNOTES1");
  EXPECT_EQ(notes[8], 7);
  EXPECT_EQ(notes[16], 3);
  EXPECT_EQ(notes[24], 11);
  EXPECT_EQ(notes.substr(32), std::string("\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"
                                          "\3\0\0\0\0\0\0\0\4\0\0\0\5\1\0\0",
                                          32));
}

TEST_F(SegmentFilesTest, AMuxerMayGoBackToTheHead) {
  SegmentFiles files(Path("a.mp4"), Path("a.notes"), 0);
  ASSERT_TRUE(files.Open({}));
  ASSERT_TRUE(files.Write("abcdef", 6, 0, 1));
  ASSERT_TRUE(files.Write("XY", 2, 1, 2));
  EXPECT_EQ(files.bytes(), 6U);
  files.AddNote({});
  ASSERT_TRUE(files.Finish());
  EXPECT_EQ(Read(Path("a.mp4")), "aXYdef");
  EXPECT_FALSE(Exists(Path("a.mp4.part")));
  EXPECT_EQ(Read(Path("a.notes")).size(), 64U) << "the last notes are written too";
}

TEST_F(SegmentFilesTest, WritesNoFileThatIsThere) {
  std::ofstream(Path("a.notes")) << "of another";
  SegmentFiles files(Path("a.mp4"), Path("a.notes"), 0);
  EXPECT_FALSE(files.Open({}));
  EXPECT_EQ(files.failure(), EEXIST);
  EXPECT_EQ(Read(Path("a.notes")), "of another");
}

TEST_F(SegmentFilesTest, ADiskThatTakesNoMoreIsToldAndTheFileLeft) {
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  SegmentFiles files(Path("a.mp4"), Path("a.notes"), 0);
  ASSERT_TRUE(files.Open({}));
  rlimit small = before;
  small.rlim_cur = 100;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string media(80, 'm');
  EXPECT_TRUE(files.Write(media.data(), media.size(), 0, 1));
  EXPECT_FALSE(files.Write(media.data(), media.size(), 80, 2));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(files.failure(), EFBIG);
  EXPECT_FALSE(files.Write("x", 1, 0, 3)) << "nothing is written behind a hole";
  EXPECT_FALSE(files.Finish());
  EXPECT_TRUE(Exists(Path("a.mp4.part")));
  EXPECT_FALSE(Exists(Path("a.mp4")));
}

TEST_F(SegmentFilesTest, NotesOfSmallPiecesGoTogether) {
  SegmentFiles files(Path("a.mkv"), Path("a.notes"), 100);
  ASSERT_TRUE(files.Open({}));
  for (std::uint64_t now = 1000; now < 1100; now += 10) {
    files.AddNote({});
    ASSERT_TRUE(files.Write("x", 1, now - 1000, now));
  }
  EXPECT_EQ(Read(Path("a.notes")).size(), 64U);
  ASSERT_TRUE(files.Write("x", 1, 100, 1100));
  EXPECT_EQ(Read(Path("a.notes")).size(), 32U * 11);
}

}  // namespace
}  // namespace sightline
