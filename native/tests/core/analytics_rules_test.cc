#include <gtest/gtest.h>

#include "core/analytics/rules.h"
#include "core/error.h"
#include "tests/support/analytics_scenarios.h"

namespace sightline {
namespace {

constexpr char kProperty[] =
    "[property]\n"           // line 1
    "enable=1\n"             // 2
    "config-width=100\n"     // 3
    "config-height=200\n\n"  // 4
    ;

AnalyticsRules Load(const std::string& text) {
  const test::ScenarioFile file(text);
  return LoadAnalyticsRules(file.path());
}

// The message of loading a text, without the file's name.
std::string Failure(const std::string& text) {
  const test::ScenarioFile file(text);
  try {
    LoadAnalyticsRules(file.path());
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kSettings);
    const std::string message = error.what();
    EXPECT_EQ(message.rfind(file.path() + ":", 0), 0U) << message;
    return message.substr(file.path().size() + 1);
  }
  return "no error";
}

TEST(LoadAnalyticsRules, ReadsEveryKey) {
  const AnalyticsRules rules =
      Load(std::string(kProperty) +
           "[line-crossing-stream-3]\nenable=1\nline-crossing-b=1;2;3;4;5;6;7;8\nextended=0\n"
           "mode=strict\nclass-id=2;0\nline-crossing-a=8;7;6;5;4;3;2;1;\n"
           "[roi-filtering-stream-0]\nroi-x=0;0;50;0;50;60\nenable=1\ninverse-roi=1\n"
           "[overcrowding-stream-0]\nenable=1\nroi-x=0;0;50;0;50;60\nobject-threshold=4\n"
           "time-threshold=100\nclass-id=1;-1\n"
           "[direction-detection-stream-0]\nenable=1\ndirection-up=10;20;10;0\nmode=loose\n");
  EXPECT_TRUE(rules.enable);
  EXPECT_EQ(rules.width, 100);
  EXPECT_EQ(rules.height, 200);
  EXPECT_EQ(rules.history, 50);
  const StreamRules& first = rules.streams.at(0);
  ASSERT_EQ(first.zones.size(), 1U);
  EXPECT_TRUE(first.zones[0].inverse);
  EXPECT_TRUE(first.zones[0].classes.empty());
  ASSERT_EQ(first.zones[0].polygon.size(), 3U);
  EXPECT_EQ(first.zones[0].polygon[2].y, 60);
  ASSERT_EQ(first.crowds.size(), 1U);
  EXPECT_EQ(first.crowds[0].object_threshold, 4);
  EXPECT_TRUE(first.crowds[0].classes.empty());
  ASSERT_EQ(first.directions.size(), 1U);
  EXPECT_EQ(first.directions[0].id, "up");
  EXPECT_EQ(first.directions[0].direction[1].y, 0);
  const std::vector<LineRule>& lines = rules.streams.at(3).lines;
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].id, "a");
  EXPECT_EQ(lines[1].direction[0].x, 1);
  EXPECT_EQ(lines[1].line[1].y, 8);
  for (const LineRule& line : lines) {
    EXPECT_FALSE(line.extended);
    EXPECT_EQ(line.mode, Strictness::kStrict);
    EXPECT_EQ(line.classes, (std::vector<int>{2, 0}));
  }
}

TEST(LoadAnalyticsRules, HasNvdsanalyticsDefaults) {
  const AnalyticsRules rules = Load(std::string(kProperty) +
                                    "[line-crossing-stream-0]\nline-crossing-a=1;2;3;4;5;6;7;8\n"
                                    "[line-crossing-stream-1]\nenable=1\n"
                                    "line-crossing-a=1;2;3;4;5;6;7;8\n");
  EXPECT_TRUE(rules.streams.at(0).lines.empty()) << "a group is off unless it says enable=1";
  EXPECT_TRUE(rules.streams.at(1).lines.at(0).extended);
  EXPECT_EQ(rules.streams.at(1).lines.at(0).mode, Strictness::kLoose);
}

TEST(LoadAnalyticsRules, SaysWhereAndWhatIsWrong) {
  const auto with = [](const std::string& text) { return Failure(kProperty + text); };
  const std::string zone = "[roi-filtering-stream-0]\n";
  EXPECT_EQ(with(zone + "roi-a=0;0;1;0\n"),
            "7: [roi-filtering-stream-0] roi-a=0;0;1;0: a polygon has at least 3 points, "
            "x;y;x;y;x;y");
  EXPECT_EQ(with(zone + "roi-a=0;0;1;0;1\n"),
            "7: [roi-filtering-stream-0] roi-a=0;0;1;0;1: a y is missing; points are written "
            "x;y;x;y");
  EXPECT_EQ(with(zone + "roi-a=0;0;1;-1;1;1\n"),
            "7: [roi-filtering-stream-0] roi-a=0;0;1;-1;1;1: '-1' is not a whole number from 0");
  EXPECT_EQ(with(zone + "roi-=0;0;1;0;1;1\n"),
            "7: [roi-filtering-stream-0] roi-=0;0;1;0;1;1: a name is missing after roi-");
  EXPECT_EQ(with(zone + "enable=1\n"),
            "6: [roi-filtering-stream-0]: there is no roi-<name>; add one");
  EXPECT_EQ(with(zone + "inverse=1\n"),
            "7: [roi-filtering-stream-0] inverse=1: unknown key; correct it or remove the line "
            "(known are enable, class-id, inverse-roi, roi-<name>)");
  EXPECT_EQ(with("[roi-filtering-stream-x]\nroi-a=0;0;1;0;1;1\n"),
            "6: [roi-filtering-stream-x]: 'x' is not the number of a stream, from 0");
  EXPECT_EQ(with("[roi-filtering]\nroi-a=0;0;1;0;1;1\n"),
            "6: [roi-filtering]: unknown group; there are [property], [roi-filtering-stream-N], "
            "[overcrowding-stream-N], [line-crossing-stream-N] and [direction-detection-stream-N]");
  EXPECT_EQ(with("[line-crossing-stream-0]\nline-crossing-a=1;2;3;4\n"),
            "7: [line-crossing-stream-0] line-crossing-a=1;2;3;4: 8 numbers are needed: x;y;x;y of "
            "the direction, then x;y;x;y of the line");
  EXPECT_EQ(with("[line-crossing-stream-0]\nmode=medium\n"),
            "7: [line-crossing-stream-0] mode=medium: loose, balanced or strict is needed");
  EXPECT_EQ(Failure("[property]\nenable=1\nconfig-width=100\n"),
            "1: [property]: config-height is missing; write the points' space");
  EXPECT_EQ(Failure("[property]\nconfig-width=0\n"),
            "2: [property] config-width=0: a number from 1 to 2147483647 is needed");
  EXPECT_EQ(Failure("[other]\na=1\n"),
            " there is no [property] group: this is not a configuration of nvdsanalytics in its "
            "INI form");
}

TEST(LoadAnalyticsRules, NamesAFileThatIsNotThere) {
  try {
    LoadAnalyticsRules("/nowhere/zones.txt");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kNotFound);
    EXPECT_STREQ(
        error.what(),
        "Cannot read the configuration /nowhere/zones.txt: No such file or directory; give "
        "the path of a file in config-file");
  }
}

}  // namespace
}  // namespace sightline
