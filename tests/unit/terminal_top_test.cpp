#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/display.h"
#include "terminal/top/columns.h"
#include "terminal/top/controls.h"
#include "terminal/top/frame.h"
#include "terminal/top/history.h"
#include "terminal/top/model.h"

namespace usvc::top {
namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();

JobRow row_for_test(const JobView& job, double) {
  JobRow row;
  row.cells = {job.name,   job.pid ? std::to_string(*job.pid) : "-",
               job.group,  job.state,
               "0.4%",     "12M",
               "3d",       std::to_string(job.deaths),
               "1f2e3d4c", job.cmd.empty() ? "-" : job.cmd.front()};
  row.trouble = job.trouble.value_or("");
  if (!row.trouble.empty()) row.color = Color::red;
  return row;
}

std::string trouble_for_test(const JobView& job, double) {
  return job.trouble.value_or("");
}

JobView job(const std::string& name, std::int64_t pid = 0) {
  JobView view;
  view.name = name;
  view.group = name.substr(0, name.find('-'));
  view.state = pid == 0 ? "stopped" : "running";
  if (pid != 0) view.pid = pid;
  view.cmd = {"/bin/" + view.group};
  return view;
}

std::vector<std::string> names(const top::Model& model) {
  std::vector<std::string> found;
  for (const auto* entry : model.shown()) found.push_back(entry->view.name);
  return found;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

class TopTest : public testing::Test {
 protected:
  void fill(std::vector<JobView> jobs) {
    model_.begin_tick(1, 1000);
    model_.replace(std::move(jobs));
    model_.arrange();
  }
  Entry& entry(const std::string& name) { return model_.all().at(name); }
  void use(const std::string& name, double cpu, std::int64_t mem) {
    model_.measured(entry(name), {cpu, mem, "asleep"});
  }
  std::string shown() { return joined(names(model_)); }
  std::optional<Request> press(const std::string& text) { return controls_.press({KeyKind::character, text}); }
  std::optional<Request> press(KeyKind kind) { return controls_.press({kind, {}}); }
  std::vector<std::string> picture(Size size, Charset charset = Charset::unicode) {
    const auto plan = plan_rows(size, model_.all().size(), around_.troubles.size());
    controls_.resize(size.width, plan.jobs, plan.pane);
    std::vector<std::string> lines;
    for (const auto& row : compose(model_, controls_, around_, size, charset)) lines.push_back(row.text());
    return lines;
  }
  std::string whole_picture(Size size, Charset charset = Charset::unicode) {
    std::string text;
    for (const auto& line : picture(size, charset)) text += line + "\n";
    return text;
  }

  top::Model model_{{row_for_test, trouble_for_test}};
  Controls controls_{model_};
  Surroundings around_;
};

TEST(TopHistory, KeepsTheLastAndShowsGaps) {
  History history;
  EXPECT_TRUE(std::isnan(history.last(5, 1).front()));
  history.add(1, 10);
  history.add(2, 20);
  history.skip(3);
  history.add(4, 40);
  const auto last = history.last(4, 5);
  EXPECT_TRUE(std::isnan(last[0]));
  EXPECT_EQ(last[1], 10);
  EXPECT_EQ(last[2], 20);
  EXPECT_TRUE(std::isnan(last[3]));
  EXPECT_EQ(last[4], 40);
}

TEST(TopHistory, ASampleHoldsForTheTicksItIsTheAverageOf) {
  History history;
  history.add(1, 10);
  history.add(4, 40);
  EXPECT_EQ(history.last(4, 4), (std::vector<float>{10, 40, 40, 40}));
  // Not measured yet since: the newest still holds.
  EXPECT_EQ(history.last(6, 3), (std::vector<float>{40, 40, 40}));
}

TEST(TopHistory, ForgetsWhatIsOld) {
  History history;
  for (std::uint64_t tick = 1; tick <= 1000; ++tick) history.add(tick, static_cast<float>(tick));
  const auto last = history.last(1000, History::longest + 1);
  EXPECT_TRUE(std::isnan(last.front()));
  EXPECT_EQ(last[1], 1000 - static_cast<float>(History::longest) + 1);
  history.add(1'000'000, 5);
  EXPECT_EQ(history.last(1'000'000, 2), (std::vector<float>{5, 5}));
}

TEST(TopHistory, CpuLine) {
  EXPECT_EQ(cpu_line({none, 0, 1, 3, 7, 15, 30, 60, 100, 1600}, Charset::unicode), " ▁▂▃▄▅▆▇██");
  EXPECT_EQ(cpu_line({none, 0, 1, 3, 7, 15, 30, 60, 100, 1600}, Charset::ascii), " _.:-=+*##");
}

TEST(TopHistory, MemoryLineShowsGrowth) {
  EXPECT_EQ(memory_line({100, 100, 101}, Charset::unicode), "▁▁▁");
  EXPECT_EQ(memory_line({none, 100, 150, 200}, Charset::unicode), " ▁▅█");
  EXPECT_EQ(memory_line({0, 0}, Charset::unicode), "▁▁");
  EXPECT_EQ(memory_line({200, 100}, Charset::ascii), "#_");
}

TEST(TopColumns, FillEveryWidthExactly) {
  for (std::size_t width = 28; width <= 400; ++width) {
    const auto columns = place_columns(width, {20, 9, 7, 3});
    std::size_t total = columns.size() - 1;
    for (const auto& placed : columns) total += placed.width;
    if (columns.back().column == Column::cmd) {
      EXPECT_EQ(total, width);
    }
    EXPECT_LE(total, width);
    EXPECT_EQ(columns.front().column, Column::name);
  }
}

TEST(TopColumns, WhatMattersLessGoesFirst) {
  const auto has = [](std::size_t width, Column column) {
    const auto columns = place_columns(width, {12, 5, 7, 2});
    return std::any_of(columns.begin(), columns.end(), [&](const Placed& placed) { return placed.column == column; });
  };
  for (const auto column : {Column::md5, Column::group, Column::mem_line, Column::cpu_line, Column::cmd}) {
    EXPECT_TRUE(has(200, column));
    EXPECT_FALSE(has(30, column));
  }
  for (const auto column : {Column::name, Column::pid, Column::status, Column::cpu, Column::cpu_line, Column::mem,
                            Column::up, Column::deaths, Column::cmd}) {
    EXPECT_TRUE(has(78, column)) << static_cast<int>(column);
  }
  EXPECT_TRUE(has(28, Column::status));
}

TEST_F(TopTest, SortsByNameNaturally) {
  fill({job("web-10"), job("web-2"), job("db-1")});
  EXPECT_EQ(shown(), "db-1 web-2 web-10");
  model_.reverse();
  model_.arrange();
  EXPECT_EQ(shown(), "web-10 web-2 db-1");
}

TEST_F(TopTest, SortsByFiguresTheLargestFirst) {
  auto old = job("old-1", 1);
  old.started_at = 10;
  auto young = job("young-1", 2);
  young.started_at = 20;
  young.deaths = 3;
  auto down = job("a-1");
  down.trouble = "exit 1";
  fill({old, young, down});
  use("old-1", 1, 200);
  use("young-1", 50, 100);
  press("C");
  EXPECT_EQ(shown(), "young-1 old-1 a-1");
  press("C");
  EXPECT_EQ(shown(), "a-1 old-1 young-1");
  press("M");
  EXPECT_EQ(shown(), "old-1 young-1 a-1");
  press("U");
  EXPECT_EQ(shown(), "old-1 young-1 a-1");
  press("D");
  EXPECT_EQ(shown(), "young-1 a-1 old-1");
  press("T");
  EXPECT_EQ(shown(), "a-1 old-1 young-1");
  press("<");
  EXPECT_EQ(model_.sort_key(), SortKey::deaths);
  press(">");
  press(">");
  EXPECT_EQ(model_.sort_key(), SortKey::name);
}

TEST_F(TopTest, FiltersAsOneTypes) {
  fill({job("web-1"), job("web-2"), job("db-1")});
  press("/");
  press("W");
  EXPECT_EQ(shown(), "web-1 web-2");
  press("e");
  press("b");
  press("-");
  press("2");
  EXPECT_EQ(shown(), "web-2");
  press(KeyKind::backspace);
  EXPECT_EQ(shown(), "web-1 web-2");
  press(KeyKind::enter);
  EXPECT_FALSE(controls_.editing_filter());
  EXPECT_NE(whole_picture({100, 24}).find("[filter: Web-]"), std::string::npos);
  press(KeyKind::escape);
  EXPECT_EQ(shown(), "db-1 web-1 web-2");
  press("/");
  press("b");
  press("i");
  press("n");
  press("/");
  press("d");
  EXPECT_EQ(shown(), "db-1");
  press(KeyKind::escape);
  EXPECT_EQ(model_.filter(), "");
}

TEST_F(TopTest, BackspaceTakesWholeCharacters) {
  fill({job("web-1")});
  press("/");
  press("ö");
  EXPECT_EQ(model_.filter(), "ö");
  press(KeyKind::backspace);
  EXPECT_EQ(model_.filter(), "");
}

TEST_F(TopTest, ShowsOnlyTrouble) {
  auto bad = job("bad-1");
  bad.trouble = "exit 1, 7 times in 2m";
  fill({job("web-1", 5), bad});
  press("t");
  EXPECT_EQ(shown(), "bad-1");
  press("t");
  EXPECT_EQ(shown(), "bad-1 web-1");
}

TEST_F(TopTest, TheSelectionStaysWithItsJob) {
  fill({job("a-1", 1), job("b-1", 2), job("c-1", 3)});
  press("C");
  use("a-1", 1, 1);
  use("b-1", 2, 1);
  use("c-1", 3, 1);
  model_.arrange();
  EXPECT_EQ(model_.selected()->view.name, "c-1");
  use("a-1", 9, 1);
  model_.arrange();
  EXPECT_EQ(model_.selected()->view.name, "a-1") << "none was chosen: the head of the order";
  press("j");
  EXPECT_EQ(model_.selected()->view.name, "c-1");
  use("c-1", 0, 1);
  model_.arrange();
  EXPECT_EQ(model_.selected()->view.name, "c-1");
  EXPECT_EQ(model_.selected_line(), 2U);
  press(KeyKind::home);
  EXPECT_EQ(model_.selected()->view.name, "a-1");
}

TEST_F(TopTest, TheSelectionOutlivesItsJob) {
  fill({job("a-1"), job("b-1"), job("c-1")});
  press(KeyKind::end);
  model_.remove({"c-1"});
  model_.arrange();
  EXPECT_EQ(model_.selected()->view.name, "b-1");
  model_.replace({});
  model_.arrange();
  EXPECT_EQ(model_.selected(), nullptr);
  EXPECT_FALSE(press("r"));
  EXPECT_FALSE(press(KeyKind::enter));
  EXPECT_EQ(controls_.message(), "no job is selected");
}

TEST_F(TopTest, FiguresOutliveANewList) {
  fill({job("a-1", 7)});
  use("a-1", 5, 100);
  model_.toggle_mark();
  model_.replace({job("a-1", 7)});
  EXPECT_EQ(entry("a-1").view.cpu_percent, 5);
  EXPECT_TRUE(entry("a-1").marked);
  model_.update({job("a-1", 8)});
  EXPECT_FALSE(entry("a-1").view.cpu_percent) << "another process";
}

TEST_F(TopTest, StopAsksAndNamesWhat) {
  fill({job("a-1", 42), job("b-1", 43)});
  EXPECT_FALSE(press("s"));
  EXPECT_EQ(controls_.question(), "stop a-1 (pid 42)?");
  EXPECT_FALSE(press("n"));
  EXPECT_EQ(controls_.question(), "");
  EXPECT_FALSE(press("s"));
  EXPECT_FALSE(press(KeyKind::enter)) << "only y is yes";
  press("s");
  const auto request = press("y");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->action, Action::stop);
  EXPECT_EQ(request->names, std::vector<std::string>{"a-1"});
}

TEST_F(TopTest, MarkedJobsAreMeantTogether) {
  fill({job("a-1", 42), job("b-1"), job("c-1", 43)});
  press(" ");
  press("j");
  press(" ");
  EXPECT_NE(whole_picture({100, 24}).find("2 marked"), std::string::npos);
  EXPECT_FALSE(press("r"));
  EXPECT_EQ(controls_.question(), "restart a-1 (pid 42), c-1 (pid 43)?");
  const auto request = press("y");
  ASSERT_TRUE(request);
  EXPECT_EQ(joined(request->names), "a-1 c-1");
  EXPECT_EQ(model_.chosen().size(), 1U) << "the marks are used up";
}

TEST_F(TopTest, StartsWhatIsStoppedOnly) {
  fill({job("a-1", 42), job("b-1")});
  EXPECT_FALSE(press("S"));
  press(" ");
  press(" ");
  const auto request = press("S");
  ASSERT_TRUE(request);
  EXPECT_EQ(joined(request->names), "b-1");
}

TEST_F(TopTest, KeysThatNeedTheCaller) {
  fill({job("a-1", 42)});
  const std::pair<std::string, Action> cases[] = {{"a", Action::attach}, {"l", Action::log},    {"r", Action::restart},
                                                  {"w", Action::why},    {"e", Action::events}, {"q", Action::leave}};
  for (const auto& [key, action] : cases) {
    const auto request = press(key);
    ASSERT_TRUE(request) << key;
    EXPECT_EQ(request->action, action) << key;
  }
  EXPECT_EQ(press(KeyKind::enter)->action, Action::attach);
}

TEST_F(TopTest, EveryPictureFitsItsWindow) {
  std::vector<JobView> jobs;
  for (int i = 1; i <= 60; ++i) jobs.push_back(job("größe-日本-" + std::to_string(i), i % 3 == 0 ? 0 : i));
  jobs[3].trouble = "exit 1, 7 times in 2m, and a reason that is so long that hardly any window has room for all of it";
  fill(std::move(jobs));
  around_.host = "\"box\" [8 cores] [load 0.42 0.31 0.30 1/402] [mem 31.2%] [swap 0.0%] [fds 3168] [/ 41.0%]";
  around_.troubles = {"one", "two", "three", "four"};
  around_.output = {std::string(500, 'x'), "日本語日本語日本語日本語日本語日本語日本語日本語"};
  for (const bool pane : {false, true}) {
    if (pane) press("?");
    for (std::size_t width = 1; width < 130; width += 7) {
      for (std::size_t height = 1; height < 50; height += 5) {
        for (const auto charset : {Charset::unicode, Charset::ascii}) {
          const auto lines = picture({width, height}, charset);
          ASSERT_EQ(lines.size(), height);
          for (const auto& line : lines) ASSERT_LE(display_width(line), width) << line;
        }
      }
    }
  }
}

TEST_F(TopTest, APictureOfTheUsualSize) {
  auto bad = job("bad-1");
  bad.state = "waiting 9s";
  bad.trouble = "exit 1, 7 times in 2m";
  bad.deaths = 7;
  fill({job("web-1", 4242), bad});
  around_.host = "\"box\" [8 cores]";
  around_.output = {"first", "second"};
  const auto lines = picture({80, 24});
  EXPECT_EQ(lines[0], "\"box\" [8 cores]");
  EXPECT_EQ(lines[1], "2 jobs, 1 live, 1 in trouble");
  EXPECT_TRUE(lines[2].starts_with("  service name▲ ")) << lines[2];
  EXPECT_TRUE(lines[3].starts_with("> bad-1")) << lines[3];
  EXPECT_NE(lines[3].find("waiting 9s"), std::string::npos) << lines[3];
  EXPECT_TRUE(lines[3].find(" ! exit 1, 7 times in 2m") != std::string::npos) << lines[3];
  EXPECT_TRUE(lines[4].starts_with("  web-1")) << lines[4];
  EXPECT_TRUE(lines[6].starts_with("── last lines of bad-1 ─")) << lines[6];
  EXPECT_EQ(lines[7], "first");
  EXPECT_TRUE(lines[23].starts_with("? help  q quit")) << lines[23];
}

TEST_F(TopTest, ASmallWindowSaysSo) {
  fill({job("web-1")});
  EXPECT_EQ(picture({20, 4})[0], "too small");
  EXPECT_EQ(picture({20, 4})[2], "need 30x6");
  EXPECT_EQ(picture({3, 1})[0], "too");
}

TEST_F(TopTest, AsciiOnlyWhereTheLocaleIsNoUtf8) {
  auto view = job("web-1", 3);
  view.cmd = {"größe"};
  fill({view});
  press("C");
  for (const auto& line : picture({120, 30}, Charset::ascii)) {
    EXPECT_TRUE(std::all_of(line.begin(), line.end(), [](char c) { return c >= ' ' && c < 0x7f; })) << line;
  }
  EXPECT_NE(whole_picture({120, 30}, Charset::ascii).find("gr??e"), std::string::npos);
}

TEST_F(TopTest, TheSelectedLineIsAlwaysInSight) {
  std::vector<JobView> jobs;
  for (int i = 1; i <= 2000; ++i) jobs.push_back(job("w-" + std::to_string(i)));
  fill(std::move(jobs));
  const auto in_sight = [&] {
    const std::string name = "> " + model_.selected()->view.name + " ";
    const auto lines = picture({80, 24});
    return std::any_of(lines.begin(), lines.end(), [&](const auto& line) { return line.starts_with(name); });
  };
  EXPECT_TRUE(in_sight());
  press("G");
  EXPECT_EQ(model_.selected()->view.name, "w-2000");
  EXPECT_TRUE(in_sight());
  press(KeyKind::page_up);
  EXPECT_TRUE(in_sight());
  for (int i = 0; i < 40; ++i) press("k");
  EXPECT_TRUE(in_sight());
  press("g");
  EXPECT_TRUE(in_sight());
}

TEST(TopPane, WrapsAndScrolls) {
  Pane pane(std::nullopt, "x");
  pane.resize(10, 3);
  pane.set_text("0123456789abc\nsecond\n\nfourth\n");
  EXPECT_EQ(pane.rows(), (std::vector<std::string>{"0123456789", "abc", "second", "", "fourth"}));
  pane.scroll(-1);
  EXPECT_EQ(pane.first(), 0U);
  pane.scroll(100);
  EXPECT_EQ(pane.first(), 2U);
  pane.set_text("1\n2\n3\n4\n5\n6\n7\n");
  EXPECT_EQ(pane.first(), 4U) << "whoever is at the end stays there";
  pane.go_first();
  pane.set_text("1\n2\n3\n4\n5\n6\n7\n8\n");
  EXPECT_EQ(pane.first(), 0U);
  pane.resize(10, 100);
  EXPECT_EQ(pane.first(), 0U);
}

TEST(TopPane, BreaksLinesBetweenWords) {
  Pane pane(std::nullopt, "x");
  pane.resize(10, 9);
  pane.set_text("one two three four\n  0123456789 x\n0123456789 next\n");
  EXPECT_EQ(pane.rows(),
            (std::vector<std::string>{"one two", "three four", "  01234567", "89 x", "0123456789", "next"}));
}

TEST_F(TopTest, APaneTakesTheKeysUntilItIsLeft) {
  fill({job("a-1", 42)});
  press("?");
  ASSERT_NE(controls_.pane(), nullptr);
  EXPECT_NE(whole_picture({80, 40}).find("keys of usvc top"), std::string::npos);
  EXPECT_FALSE(press("s"));
  EXPECT_EQ(controls_.question(), "");
  EXPECT_FALSE(press("q"));
  EXPECT_EQ(controls_.pane(), nullptr);
}

}  // namespace
}  // namespace usvc::top
