// usvc log: looking back by time, by run and by what a line says, through old, compressed and live files alike.
#include <csignal>

#include "cli/cli_test.h"
#include "cli/hand_made_log.h"

namespace usvc::test {

namespace {

constexpr std::int64_t noon = 1'764'072'000;  // 2025-11-25 12:00:00 UTC

class LogTimeTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["TZ"] = "UTC";
  }
  // A job that does not run and whose log is as it would be after days of work.
  HandMadeLog make(const std::string& name = "web") {
    write("never", "#!/bin/sh\nexit 0\n", 0755);
    start({"--name", name, "-1", "--settle", "0", "--", path("never")});
    EXPECT_TRUE(wait_state(name, "stopped"));
    ok({"shutdown"});
    for (const char* end : {"", ".idx"}) std::remove((home() + "/logs/" + name + ".log" + end).c_str());
    return {home(), name};
  }
  // Run 1 in a compressed file, run 2 in it and an old one, run 3 in the live one.
  HandMadeLog make_three_runs() {
    HandMadeLog log = make();
    log.run(1, noon, "one a\none b\n");
    log.run(2, noon + 60, "two a\n");
    log.rotate();
    log.write(noon + 120, "two b\ntwo c\n");
    log.rotate();
    log.run(3, noon + 180, "three a\n");
    log.write(noon + 240, "three b\n");
    log.compress(1, 5);
    return log;
  }
};

TEST_F(LogTimeTest, OldCompressedAndLiveFilesAreOne) {
  const HandMadeLog log = make_three_runs();
  EXPECT_EQ(ok({"log", "web"}).out, log.all());
  EXPECT_EQ(ok({"log", "-n", "3", "web"}).out, "two c\nthree a\nthree b\n");
  EXPECT_EQ(ok({"log", "-n", "6", "web"}).out, log.all().substr(6));
  EXPECT_EQ(ok({"log", "-n", "all", "--raw", "web"}).out, log.all());
  const std::string paths = log.old_path(1) + ".zst\n" + log.old_path(2) + "\n" + log.path() + "\n";
  EXPECT_EQ(ok({"log", "--path", "web"}).out, paths);
  EXPECT_EQ(run_program({"/usr/bin/zstdcat", log.old_path(1) + ".zst"}).out + read(log.old_path(2)) + read(log.path()),
            log.all());
}

TEST_F(LogTimeTest, SinceAndUntil) {
  make_three_runs();
  EXPECT_EQ(ok({"log", "--since", "2025-11-25 12:01", "--until", "2025-11-25 12:02:30", "web"}).out,
            "two a\ntwo b\ntwo c\n");
  EXPECT_EQ(ok({"log", "--since", "2025-11-25 12:02:30", "web"}).out, "three a\nthree b\n");
  EXPECT_EQ(ok({"log", "--until", "@" + std::to_string(noon + 1), "web"}).out, "one a\none b\n");
  EXPECT_EQ(ok({"log", "--since", "10m", "web"}).out, "");
  EXPECT_EQ(ok({"log", "--since", "yesterday", "web"}).out, "");
  EXPECT_TRUE(contains(ok({"log", "--since", "2025-11-24T00:00:00Z", "web"}).out, "three b"));
  EXPECT_EQ(ok({"log", "--since", "2025-11-25 12:01", "-n", "2", "web"}).out, "three a\nthree b\n");
  EXPECT_TRUE(contains(fails(2, {"log", "--since", "yore", "web"}).err, "--since: 'yore' is not a time"));
  fails(2, {"log", "--until", "32:00", "web"});
  EXPECT_TRUE(contains(fails(2, {"log", "--since", "5s", "--until", "10s", "web"}).err, "--since 5s is later than"));
}

TEST_F(LogTimeTest, ARunByItsNumberAndFromTheLast) {
  const HandMadeLog log = make_three_runs();
  EXPECT_EQ(ok({"log", "--run", "1", "web"}).out, "one a\none b\n");
  EXPECT_EQ(ok({"log", "--run", "2", "web"}).out, "two a\ntwo b\ntwo c\n");
  EXPECT_EQ(ok({"log", "--run", "-1", "web"}).out, "three a\nthree b\n");
  EXPECT_EQ(ok({"log", "--run=-3", "-n", "1", "web"}).out, "one b\n");
  EXPECT_TRUE(contains(fails(1, {"log", "--run", "7", "web"}).err, "the log of web knows no run 7"));
  fails(2, {"log", "--run", "0", "web"});
  fails(2, {"log", "--run", "last", "web"});
  EXPECT_EQ(ok({"logchunk", log.run_id(2)}).out, "two a\ntwo b\ntwo c\n");
  EXPECT_EQ(ok({"log", "--run", log.run_id(2), "web"}).out, "two a\ntwo b\ntwo c\n");
  EXPECT_EQ(ok({"log", "--run", log.run_id(1)}).out, "one a\none b\n");
  EXPECT_EQ(ok({"log", "-n1", "--run", log.run_id(1), "all"}).out, "one b\n");
  fails(1, {"log", "--run", "web.2.00000000", "web"});
  fails(3, {"log", "--run", "nosuch.2.00000000"});
  fails(2, {"log", "--run"});
  fails(1, {"logchunk", "web.2.00000000"});
  fails(2, {"logchunk", "web"});
  fails(2, {"logchunk"});
  fails(3, {"logchunk", "nobody.1.00000000"});
}

TEST_F(LogTimeTest, ARunThatWroteNothingIsCountedToo) {
  // Runs 1 and 3 write, 2 and the last do not.
  write("job", "#!/bin/sh\ncase $USVC_RUN in *.1.*|*.3.*) echo $USVC_RUN;; esac\nexec " + probe() + " serve\n", 0755);
  start({"--name", "web", "--", path("job")});
  for (int run = 1; run <= 4; ++run) {
    if (run > 1) ok({"restart", "web"});
    if (run % 2 == 0) continue;
    ASSERT_TRUE(wait_log("web", "web." + std::to_string(run)));
  }
  EXPECT_EQ(ok({"log", "--run", "-1", "web"}).out, "");
  EXPECT_TRUE(ok({"log", "--run", "-2", "web"}).out.starts_with("web.3."));
  EXPECT_EQ(ok({"log", "--run", "-3", "web"}).out, "");
  EXPECT_TRUE(ok({"log", "--run", "-4", "web"}).out.starts_with("web.1."));
  EXPECT_EQ(ok({"log", "--run", "2", "web"}).out, "");
  const std::string last = status("web").run_id;
  EXPECT_EQ(ok({"logchunk", last}).out, "");
  fails(1, {"logchunk", last.substr(0, last.rfind('.')) + ".00000001"});
  fails(1, {"log", "--run", "5", "web"});
  fails(1, {"log", "--run", "-5", "web"});
  EXPECT_TRUE(contains(ok({"events", "web"}).out, ", run 4\n"));
}

TEST_F(LogTimeTest, ARunsLastLineEndsWithIt) {
  HandMadeLog log = make();
  log.run(1, noon, "one\nlast words");
  log.run(2, noon + 60, "two");
  log.run(3, noon + 120, "three\n");
  EXPECT_EQ(ok({"log", "-t", "web"}).out,
            "2025-11-25 12:00:00.000 one\n2025-11-25 12:00:00.000 last words\n2025-11-25 12:01:00.000 two\n"
            "2025-11-25 12:02:00.000 three\n");
  EXPECT_EQ(ok({"log", "--grep", "^two$", "web"}).out, "two\n");
  EXPECT_EQ(ok({"log", "--grep", "w", "-n", "1", "web"}).out, "two\n");
  EXPECT_EQ(ok({"log", "-t", "-n", "2", "web"}).out, "2025-11-25 12:01:00.000 two\n2025-11-25 12:02:00.000 three\n");
  EXPECT_EQ(ok({"log", "-t", "--since", "2025-11-25 12:00:30", "--until", "2025-11-25 12:01:30", "web"}).out,
            "2025-11-25 12:01:00.000 two\n");
  EXPECT_EQ(json_lines({"log", "web"}).size(), 4U);
  EXPECT_EQ(ok({"log", "web"}).out, log.all());
}

TEST_F(LogTimeTest, OnlyLinesThatMatch) {
  make_three_runs();
  EXPECT_EQ(ok({"log", "--grep", "(a|c)$", "web"}).out, "one a\ntwo a\ntwo c\nthree a\n");
  EXPECT_EQ(ok({"log", "--grep", " a", "-n", "2", "web"}).out, "two a\nthree a\n");
  const std::string since = "2025-11-25 12:01";
  EXPECT_EQ(ok({"log", "--grep", " a", "-n", "9", "--since", since, "web"}).out, "two a\nthree a\n");
  EXPECT_EQ(ok({"log", "--grep", " a", "-n", "1", "--until", "2025-11-25 12:00:30", "web"}).out, "one a\n");
  EXPECT_EQ(ok({"log", "--grep", " [ac]", "-n", "2", "--run", "2", "web"}).out, "two a\ntwo c\n");
  EXPECT_EQ(ok({"log", "--grep", "nothing", "web"}).out, "");
  EXPECT_EQ(ok({"log", "--grep", "a.", "web"}).out, "");
  fails(2, {"log", "--grep", "(", "web"});
}

TEST_F(LogTimeTest, TheLastLinesThatMatchMayBeFarFromTheEnd) {
  write("writer",
        "#!/bin/sh\necho mark first\nhead -c 9000000 /dev/zero | tr '\\0' x | fold -w 10000\necho; echo mark last\n",
        0755);
  start({"--name", "web", "--once", "--no-tty", "--", path("writer")});
  ASSERT_TRUE(wait_state("web", "stopped", 30s));
  for (const char* pattern : {"mark", "^m[a]rk"}) {
    EXPECT_EQ(ok({"log", "-n", "1", "--grep", pattern, "web"}).out, "mark last\n");
    EXPECT_EQ(ok({"log", "-n", "2", "--grep", pattern, "web"}).out, "mark first\nmark last\n");
    EXPECT_EQ(ok({"log", "-n", "9", "--grep", pattern, "web"}).out, "mark first\nmark last\n");
  }
}

TEST_F(LogTimeTest, TimestampsAndJson) {
  const HandMadeLog log = make_three_runs();
  EXPECT_EQ(ok({"log", "-t", "-n", "2", "web"}).out,
            "2025-11-25 12:03:00.000 three a\n2025-11-25 12:04:00.000 three b\n");
  const auto lines = json_lines({"log", "--run", "2", "web"});
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(text_of(lines[0], "line"), "two a");
  EXPECT_EQ(number_of(lines[0], "t"), noon + 60);
  EXPECT_EQ(text_of(lines[2], "job"), "web");
  EXPECT_EQ(text_of(lines[2], "run_id"), log.run_id(2));
  EXPECT_EQ(text_of(lines[2], "stream"), "stdout");
  EXPECT_EQ(number_of(lines[2], "t"), noon + 120);
}

TEST_F(LogTimeTest, SeveralJobsAreMergedByTime) {
  make_three_runs();
  HandMadeLog other = make("api");
  other.run(1, noon + 30, "first\nsecond\n");
  other.write(noon + 130, "third");
  EXPECT_EQ(ok({"log", "web", "api"}).out,
            "web | one a\nweb | one b\napi | first\napi | second\nweb | two a\nweb | two b\nweb | two c\napi | third\n"
            "web | three a\nweb | three b\n");
  EXPECT_EQ(ok({"log", "--raw", "--since", "2025-11-25 12:02", "--until", "2025-11-25 12:02:59", "web", "api"}).out,
            "two b\ntwo c\nthird");
}

TEST_F(LogTimeTest, WithoutAnIndexAllIsShownAndThatIsSaidOnce) {
  const HandMadeLog log = make_three_runs();
  log.drop_indexes();
  EXPECT_EQ(ok({"log", "web"}).out, log.all());
  const Output since = ok({"log", "--since", "1m", "web"});
  EXPECT_EQ(since.out, log.all());
  EXPECT_EQ(count_of(since.err, "no index"), 3U) << since;
  EXPECT_TRUE(contains(ok({"log", "-t", "-n", "1", "web"}).out, " three b\n"));
  fails(1, {"log", "--run", "1", "web"});
}

TEST_F(LogTimeTest, ADamagedIndexAndATornCompressedFileAreGotOverWith) {
  const HandMadeLog log = make_three_runs();
  std::string index = read(log.path() + ".idx");
  index[3] = 'x';
  write("h/logs/web.log.idx", index + "torn");
  EXPECT_EQ(ok({"log", "web"}).out, log.all());
  const std::string compressed = read(log.old_path(1) + ".zst");
  write("h/logs/old/web.log.000001.zst", compressed.substr(0, compressed.size() - 1));
  const Output output = run({"log", "web"});
  EXPECT_EQ(output.status, 1) << "something is missing";
  EXPECT_TRUE(output.out.starts_with("one a\none b\n") && output.out.ends_with("three b\n")) << output;
  EXPECT_TRUE(contains(output.err, "web.log.000001.zst: damaged")) << output;
}

class ByteExactTest : public LogTimeTest {
 protected:
  void expect_same(const HandMadeLog& log) {
    for (const Args& args : {Args{"log", "-n", "all", "web"}, Args{"log", "--raw", "-n", "all", "web"},
                             Args{"log", "--since", "2020-01-01", "web"}, Args{"logchunk", log.run_id(1)}}) {
      const Output output = ok(args);
      EXPECT_TRUE(output.out == log.all()) << args.back() << ": " << output.out.size() << " of " << log.all().size();
    }
  }
};

TEST_F(ByteExactTest, Noise) {
  HandMadeLog log = make();
  log.run(1, noon, random_bytes(300'000, 1));
  log.rotate();
  log.write(noon + 1, random_bytes(2'500'000, 2));
  log.rotate();
  log.write(noon + 2, random_bytes(70'000, 3));
  log.compress(1, 1 << 20);
  log.compress(2, 1 << 20);
  expect_same(log);
}

TEST_F(ByteExactTest, LongLinesAllKindsOfEndsAndNone) {
  HandMadeLog log = make();
  log.run(1, noon, std::string(1'000'000, 'a') + "\n");
  log.write(noon + 1, "windows\r\n\r\n\n10%\r20%\r30%\n" + std::string(1'000'000, 'b') + "\n");
  log.rotate();
  log.write(noon + 2, "no end");
  log.compress(1, 1 << 20);
  expect_same(log);
  EXPECT_EQ(ok({"log", "-n", "3", "web"}).out, "10%\r20%\r30%\n" + std::string(1'000'000, 'b') + "\nno end");
  const auto lines = json_lines({"log", "-n", "6", "web"});
  ASSERT_EQ(lines.size(), 6U);
  EXPECT_EQ(text_of(lines[0], "line"), "windows\r");
  EXPECT_EQ(text_of(lines[4], "line").size(), 1'000'000U);
}

TEST_F(ByteExactTest, BytesThatAreNotUtf8SurviveJson) {
  HandMadeLog log = make();
  log.run(1, noon, "caf\xe9 \\ \xc3\xa9\nplain \\ \xc3\xa9\n");
  const auto lines = json_lines({"log", "web"});
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(text_of(lines[0], "line"), "caf\\xe9 \\\\ \xc3\xa9");
  EXPECT_TRUE(lines[0].at("escaped").as_bool());
  EXPECT_EQ(text_of(lines[1], "line"), "plain \\ \xc3\xa9");
  EXPECT_FALSE(lines[1].contains("escaped"));
}

TEST_F(LogTimeTest, FiftyJobsAtOnce) {
  write("never", "#!/bin/sh\nexit 0\n", 0755);
  start({"-n", "50", "-g", "many", "-1", "--settle", "0", "--", path("never")});
  for (int i = 1; i <= 50; ++i) ASSERT_TRUE(wait_state("many-" + std::to_string(i), "stopped"));
  ok({"shutdown"});
  std::vector<HandMadeLog> logs;
  for (int i = 1; i <= 50; ++i) logs.emplace_back(home(), "many-" + std::to_string(i));
  for (auto& log : logs) {
    for (const char* end : {"", ".idx"}) std::remove((log.path() + end).c_str());
  }
  // Every second each writes a line, in the order of their names backwards.
  for (int second = 0; second < 20; ++second) {
    for (std::size_t i = logs.size(); i-- > 0;) {
      if (second == 10) logs[i].rotate();
      const std::string line = std::to_string(second) + "\n";
      second == 0 ? logs[i].run(1, noon + second, line) : logs[i].write(noon + second, line);
    }
  }
  const auto lines = lines_of(ok({"log", "many"}).out);
  ASSERT_EQ(lines.size(), 1000U);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string name = "many-" + std::to_string(i % 50 + 1);
    EXPECT_EQ(lines[i], name + std::string(7 - name.size(), ' ') + " | " + std::to_string(i / 50));
  }
}

}  // namespace

}  // namespace usvc::test
