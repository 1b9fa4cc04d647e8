// How outcomes, logs and events are put into lines.
#include <gtest/gtest.h>

#include <string>

#include "base/time.h"
#include "cli/event_filter.h"
#include "cli/log_printer.h"
#include "cli/log_remarks.h"
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

LogLine line_of(std::string_view text) {
  LogLine line;
  line.text = text;
  return line;
}

TEST(CliLogPrinter, SeveralJobsHaveNamesOfEqualWidth) {
  const Context context;
  LogPrinter printer(context, {.names = true});
  printer.add_job("a");
  printer.add_job("long");
  printer.add(0, OutputStream::standard, line_of("one"));
  printer.add(1, OutputStream::standard, line_of("x\r"));
  printer.add(0, OutputStream::error, line_of("oh"));
  EXPECT_EQ(printer.text(), "a    | one\nlong | x\r\na    ! oh\n");
}

TEST(CliLogPrinter, ATerminalIsProtectedUnlessRawWasAsked) {
  Context context;
  context.out = Terminal(true, true, 80);
  LogPrinter printer(context, {});
  printer.add_job("web");
  printer.add(0, OutputStream::standard, line_of("a\x1b[2Jb\r"));
  EXPECT_EQ(printer.text(), "ab\n");
  LogPrinter raw(context, {.raw = true});
  raw.add_job("web");
  raw.add(0, OutputStream::error, line_of("a\x1b[2Jb\r"));
  LogLine rest = line_of("rest");
  rest.ended = false;
  raw.add(0, OutputStream::standard, rest);
  EXPECT_EQ(raw.text(), "a\x1b[2Jb\r\nrest");
}

TEST(CliLogPrinter, TimesComeFirstAndOneThatIsNotKnownLeavesItsPlace) {
  const Context context;
  LogPrinter printer(context, {.names = true, .timestamps = true});
  printer.add_job("web");
  LogLine line = line_of("x");
  printer.add(0, OutputStream::standard, line);
  line.time_us = 1'764'000'000'007'999;
  printer.add(0, OutputStream::standard, line);
  line.time_us = 1'764'000'000'120'000;
  printer.add(0, OutputStream::error, line);
  const std::string second = format_time(1'764'000'000);
  EXPECT_EQ(printer.text(),
            "-                       web | x\n" + second + ".007 web | x\n" + second + ".120 web ! x\n");
}

TEST(CliLogPrinter, Remarks) {
  Context context;
  context.out = Terminal(true, true, 24);
  LogPrinter printer(context, {});
  printer.add_remark("web started, pid 4242, run 3");
  EXPECT_EQ(printer.text(), "\x1b[2m-- web started, pid 4242\x1b[0m\n");
}

TEST(CliLogPrinter, Json) {
  LogLine line = line_of("a\"b\\");
  EXPECT_EQ(log_line_json("web", OutputStream::standard, line),
            R"({"t":null,"job":"web","run_id":null,"stream":"stdout","line":"a\"b\\"})");
  line.time_us = 1'764'000'000'500'000;
  line.run = 3;
  line.nonce = 0xbeef;
  line.text = "caf\xe9 \\ \xc3\xa9\x01";
  EXPECT_EQ(log_line_json("web", OutputStream::error, line),
            "{\"t\":1.7640000005E9,\"job\":\"web\",\"run_id\":\"web.3.0000beef\",\"stream\":\"stderr\","
            "\"line\":\"caf\\\\xe9 \\\\\\\\ \xc3\xa9\\u0001\",\"escaped\":true}");
}

TEST(CliLogPrinter, WhatIsUtf8) {
  struct Case {
    std::string text;
    std::string expected;  // of the line, in JSON
  };
  const Case cases[] = {{"\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
                        {"\xed\xa0\x80", "\\\\xed\\\\xa0\\\\x80"},
                        {"\xc0\x80", "\\\\xc0\\\\x80"},
                        {"\xe2\x82", "\\\\xe2\\\\x82"},
                        {"\xf4\x90\x80\x80", "\\\\xf4\\\\x90\\\\x80\\\\x80"}};
  for (const auto& c : cases) {
    EXPECT_NE(log_line_json("w", OutputStream::standard, line_of(c.text)).find("\"line\":\"" + c.expected + "\""),
              std::string::npos)
        << log_line_json("w", OutputStream::standard, line_of(c.text));
  }
}

TEST(CliLogFilter, MatchesLinesAsGrepDoes) {
  const auto filter = LineFilter::create("^(a|b)+$");
  ASSERT_TRUE(filter);
  EXPECT_TRUE(filter->matches("abba"));
  EXPECT_FALSE(filter->matches("abc"));
  using std::string_literals::operator""s;
  EXPECT_TRUE(LineFilter::create("x.z$")->matches("\xff\0 x\x01z"s));
  EXPECT_EQ(LineFilter::create("(").error().kind(), ErrorKind::usage);
}

Event remark_of(double t, std::string kind, std::string job = "web") {
  Event event;
  event.t = t;
  event.event = std::move(kind);
  event.job = std::move(job);
  event.run_id = "web.3.0000beef";
  return event;
}

TEST(CliLogRemarks, Words) {
  Event event = remark_of(1'764'000'000, "running");
  event.pid = 42;
  EXPECT_EQ(remark_words(event), "web started, pid 42, run 3 -- " + format_time(1'764'000'000));
  EXPECT_EQ(remark_words(remark_of(0, "starting")), "");
  event = remark_of(1'764'000'000, "exited");
  event.code = 1;
  event.ran = 3.2;
  EXPECT_EQ(remark_words(event), "web exited: exit 1 after 3.2 s -- " + format_time(1'764'000'000));
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
