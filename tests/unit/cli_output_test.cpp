// How outcomes, logs and events are put into lines.
#include <gtest/gtest.h>

#include <string>

#include "cli/event_filter.h"
#include "cli/log_printer.h"
#include "cli/report.h"

namespace usvc {
namespace {

TEST(CliReport, SuccessLine) {
  Outcome outcome;
  outcome.name = "web-1";
  EXPECT_EQ(success_line(outcome, {"stop", "stopped"}), "web-1 stopped");
  outcome.message = "had to be killed";
  EXPECT_EQ(success_line(outcome, {"stop", "stopped"}), "web-1 stopped: had to be killed");
  outcome.message.clear();
  outcome.pid = 4242;
  EXPECT_EQ(success_line(outcome, {"start", "started"}), "web-1 started, pid 4242");
}

// What flush() writes, by way of a captured stdout.
std::string printed(LogPrinter& printer) {
  testing::internal::CaptureStdout();
  EXPECT_TRUE(printer.flush());
  return testing::internal::GetCapturedStdout();
}

TEST(CliLogPrinter, OneJobInAPipeIsUntouched) {
  const Context context;
  LogPrinter printer(context, {"web"}, false);
  using std::string_literals::operator""s;
  const std::string bytes = "a\r\n\x1b[2J\0\xff half"s;
  printer.add(0, bytes);
  EXPECT_EQ(printed(printer), bytes);
}

TEST(CliLogPrinter, SeveralJobsHaveNamesOfEqualWidth) {
  const Context context;
  LogPrinter printer(context, {"a", "long"}, false);
  printer.add(0, "one\ntw");
  printer.add(1, "x\n");
  printer.add(0, "o\nrest");
  printer.finish(0);
  printer.finish(1);
  EXPECT_EQ(printed(printer), "a    | one\nlong | x\na    | two\na    | rest\n");
}

TEST(CliLogPrinter, ATerminalIsProtectedUnlessRawWasAsked) {
  Context context;
  context.out = Terminal(true, true, 80);
  LogPrinter printer(context, {"web"}, false);
  printer.add(0, "a\x1b[2Jb\r\n");
  EXPECT_EQ(printed(printer), "ab\n");
  LogPrinter raw(context, {"web"}, true);
  raw.add(0, "a\x1b[2Jb\r\n");
  EXPECT_EQ(printed(raw), "a\x1b[2Jb\r\n");
}

TEST(CliLogPrinter, Json) {
  Context context;
  context.json = true;
  LogPrinter printer(context, {"web"}, false);
  printer.add(0, "a\"b\nc");
  printer.finish(0);
  EXPECT_EQ(printed(printer), "{\"job\":\"web\",\"line\":\"a\\\"b\"}\n{\"job\":\"web\",\"line\":\"c\"}\n");
}

TEST(CliEventFilter, WordMeansAName) {
  struct Case {
    std::string word;
    std::string name;
    bool expected;
  };
  const Case cases[] = {{"web", "web", true},     {"web", "web-1", true},     {"web", "web-12", true},
                        {"web", "web-x", false},  {"web", "web-", false},     {"web", "webb-1", false},
                        {"web-*", "web-x", true}, {"web-1", "web-12", false}, {"w?b", "web", true}};
  for (const auto& c : cases) EXPECT_EQ(word_means(c.word, c.name), c.expected) << c.word << " " << c.name;
}

Event event_of(std::optional<std::string> job) {
  Event event;
  event.job = std::move(job);
  event.event = "stopped";
  return event;
}

TEST(CliEventFilter, KnownAndPastJobs) {
  EventFilter filter({"web-1"}, {"gone"});
  EXPECT_TRUE(filter.shows(event_of("web-1")));
  EXPECT_FALSE(filter.shows(event_of("web-2")));
  EXPECT_FALSE(filter.shows(event_of(std::nullopt)));
  EXPECT_FALSE(filter.found_all());
  EXPECT_TRUE(filter.shows(event_of("gone-3")));
  EXPECT_TRUE(filter.found_all());
}

}  // namespace
}  // namespace usvc
