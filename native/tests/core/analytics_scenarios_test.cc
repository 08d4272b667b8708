#include "tests/support/analytics_scenarios.h"

#include <gtest/gtest.h>

#include "core/analytics/analyzer.h"

namespace sightline {
namespace {

TEST(Analyzer, GivesWhatTheScenariosRecord) {
  const std::vector<test::Scenario> scenarios = test::ReadScenarios();
  ASSERT_FALSE(scenarios.empty());
  for (const test::Scenario& scenario : scenarios) {
    SCOPED_TRACE(scenario.name);
    const test::ScenarioFile file(scenario.config);
    Analyzer analyzer(LoadAnalyticsRules(file.path()), 0, scenario.width, scenario.height);
    test::ScenarioLog log;
    for (const test::ScenarioFrame& frame : scenario.frames) {
      std::vector<AnalyzedObject> objects;
      for (const auto& object : frame.objects) {
        objects.push_back({object.box, object.class_id, true, object.id});
      }
      analyzer.Process(objects, frame.pts_ns);
      log.Frame(analyzer.frame());
      for (std::size_t i = 0; i < objects.size(); ++i) {
        log.Object(objects[i].track_id, analyzer.objects()[i]);
      }
      log.NextFrame();
    }
    EXPECT_EQ(log.lines(), scenario.log);
  }
}

}  // namespace
}  // namespace sightline
