#include "core/config/key_file.h"

#include <gtest/gtest.h>

namespace sightline {
namespace {

TEST(ParseKeyFile, KeepsGroupsKeysAndLines) {
  const KeyFile file = ParseKeyFile("a.txt",
                                    "# first\n\n[one]\n  key = a value \n#no=1\nlist=1;2\n"
                                    "[two]\nempty=\nequals=a=b\n");
  ASSERT_EQ(file.groups.size(), 2u);
  EXPECT_EQ(file.groups[0].name, "one");
  EXPECT_EQ(file.groups[0].line, 3);
  ASSERT_EQ(file.groups[0].entries.size(), 2u);
  EXPECT_EQ(file.groups[0].entries[0].key, "key");
  EXPECT_EQ(file.groups[0].entries[0].value, "a value");
  EXPECT_EQ(file.groups[0].entries[1].line, 6);
  EXPECT_EQ(file.groups[1].entries[0].value, "");
  EXPECT_EQ(file.groups[1].entries[1].value, "a=b");
  EXPECT_EQ(file.Find("two"), &file.groups[1]);
  EXPECT_EQ(file.Find("three"), nullptr);
}

TEST(SplitList, TrimsAndKeepsEscapedSeparators) {
  EXPECT_EQ(SplitList("a; b ;c;"), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(SplitList("a\\;b;c"), (std::vector<std::string>{"a;b", "c"}));
  EXPECT_EQ(SplitList("a;;b"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_TRUE(SplitList("").empty());
}

TEST(Unescape, KnowsGLibsSequences) {
  EXPECT_EQ(Unescape("\\sa\\tb\\\\c\\n\\r\\x\\"), " a\tb\\c\n\r\\x\\");
}

}  // namespace
}  // namespace sightline
