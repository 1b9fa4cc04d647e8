// usvc status: the machine's line, the table, its JSON, on a terminal and in a pipe.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <regex>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

using StatusTest = CliTest;

const std::regex machine_line(
    R"(^"[^"]+" \[\d+ cores?\] \[load [\d.]+ [\d.]+ [\d.]+ \d+/\d+\] \[mem [\d.]+%\].*\[fds \d+\])");

std::string row_of(const std::string& table, const std::string& job) {
  for (const auto& line : lines_of(without_escapes(table))) {
    if (contains(line, job + " ")) return line;
  }
  return {};
}

TEST_F(StatusTest, WorksWithoutAnInstanceAndStartsNone) {
  const Output output = ok({"status"});
  EXPECT_TRUE(std::regex_search(output.out, machine_line)) << output;
  const Output brief = ok({"status", "-s"});
  EXPECT_EQ(lines_of(brief.out).size(), 1U) << brief;
  EXPECT_TRUE(std::regex_search(brief.out, machine_line)) << brief;
  EXPECT_TRUE(own_processes().empty()) << list(own_processes());
}

TEST_F(StatusTest, TableHasARowForEachJobInNaturalOrder) {
  start({"-n", "11", "-g", "web", "--", probe(), "serve"});
  const auto lines = lines_of(ok({"status"}).out);
  ASSERT_GE(lines.size(), 13U);
  EXPECT_TRUE(std::regex_search(lines[1], std::regex("^service name +pid +group +status +cpu +mem +up +D +md5 +cmd")))
      << lines[1];
  for (int number = 1; number <= 11; ++number) {
    const std::string& line = lines[static_cast<std::size_t>(number) + 1];
    EXPECT_TRUE(line.starts_with("web-" + std::to_string(number) + " ")) << line;
    EXPECT_TRUE(contains(line, probe() + " serve")) << line;
  }
  EXPECT_EQ(lines_of(ok({"status", "-s"}).out).size(), 1U);
}

TEST_F(StatusTest, SelectorsNarrowIt) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  const std::string table = ok({"status", "web-2"}).out;
  EXPECT_EQ(row_of(table, "web-1"), "");
  EXPECT_NE(row_of(table, "web-2"), "");
  fails(3, {"status", "nosuch"});
}

TEST_F(StatusTest, StateIsWhatTheKernelSays) {
  start({"--name", "idle", "--", probe(), "serve"});
  start({"--name", "busy", "--", probe(), "spin"});
  EXPECT_TRUE(wait_until(5s, [&] { return contains(row_of(ok({"status"}).out, "idle"), " asleep "); }));
  EXPECT_TRUE(wait_until(5s, [&] { return contains(row_of(ok({"status"}).out, "busy"), " running "); }));
  EXPECT_TRUE(wait_until(10s, [&] { return number_of(status("busy").raw, "cpu_percent").value_or(0) > 5; }))
      << status("busy");
}

TEST_F(StatusTest, MemoryIsMeasured) {
  start({"--name", "big", "--", probe(), "eat", "64", "--", "serve"});
  EXPECT_TRUE(wait_until(5s, [&] { return number_of(status("big").raw, "mem_bytes").value_or(0) > 60e6; }))
      << status("big");
}

TEST_F(StatusTest, JobInTroubleSticksOutWithItsReason) {
  start({"--name", "fine", "--", probe(), "serve"});
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const Output table = ok({"status"});
  EXPECT_TRUE(std::regex_search(row_of(table.out, "bad"), std::regex("waiting [0-9]+"))) << table;
  EXPECT_TRUE(contains(row_of(table.out, "bad"), "exit 3")) << table;
  EXPECT_FALSE(contains(row_of(table.out, "fine"), "exit")) << table;
}

// As by a second change within one tick of the file system's clock: here it is an included file's.
TEST_F(StatusTest, AConfThatMayHaveBeenChangedUnseenIsReadAgain) {
  ok({"init"});
  const std::string included = write("more.conf", "[core]\n\ttty = true\n");
  const std::string text = "[core]\n\tcmd = /bin/true\n[include]\n\tpath = " + included + "\n";
  const auto conf = std::filesystem::path(write("web.conf", text, 0600));
  // Its clock is always just at what the stamp has.
  std::filesystem::last_write_time(conf, std::filesystem::file_time_type::clock::now() + 1h);
  std::filesystem::rename(conf, conf_path("web"));
  EXPECT_EQ(text_of(status("web").raw, "trouble"), "");
  write("more.conf", "[core]\n\ttty = perhaps\n");
  // Told of as written, with the stamp that it had.
  { const std::ofstream touched(conf_path("web"), std::ios::app); }
  EXPECT_TRUE(contains(text_of(status("web").raw, "trouble"), "core.tty")) << status("web");
}

TEST_F(StatusTest, AConfThatIsBrokenUnderARunningJobIsToldAndAMendedOneNot) {
  start({"-n", "2", "-g", "web", "--", probe(), "serve"});
  EXPECT_EQ(text_of(status("web-1").raw, "trouble"), "");
  const std::string good = read(conf_path("web-1"));
  const auto lines = std::to_string(lines_of(good).size() + 1);
  const auto in_place = [&](const std::string& text) { write(conf_path("web-1"), text, 0600); };
  in_place(good + "stop-timeout = never\n");
  const std::string trouble = text_of(status("web-1").raw, "trouble");
  EXPECT_TRUE(contains(trouble, conf_path("web-1") + ":" + lines)) << trouble;
  EXPECT_TRUE(contains(trouble, "mend it before the next start of web-1")) << trouble;
  EXPECT_EQ(status("web-1").state, "running");
  EXPECT_TRUE(contains(row_of(ok({"status"}).out, "web-1"), "! " + conf_path("web-1")));
  EXPECT_TRUE(contains(ok({"why", "web-1"}).out, conf_path("web-1") + ":" + lines));
  EXPECT_EQ(text_of(status("web-2").raw, "trouble"), "");
  in_place("[core\n");
  EXPECT_TRUE(contains(text_of(status("web-1").raw, "trouble"), conf_path("web-1"))) << status("web-1");
  in_place(good);
  EXPECT_EQ(text_of(status("web-1").raw, "trouble"), "");
  // As editors do it that write anew and rename.
  const std::string other = write("new.conf", "[core]\n\tcmd = /bin/true\n\tnosuch = 1\n\ttty = perhaps\n", 0600);
  ASSERT_EQ(std::rename(other.c_str(), conf_path("web-1").c_str()), 0);
  EXPECT_TRUE(contains(text_of(status("web-1").raw, "trouble"), "core.nosuch")) << status("web-1");
  ASSERT_EQ(std::remove(conf_path("web-1").c_str()), 0);
  EXPECT_TRUE(contains(text_of(status("web-1").raw, "trouble"), "No such file")) << status("web-1");
  in_place(good);
  EXPECT_EQ(text_of(status("web-1").raw, "trouble"), "");
}

TEST_F(StatusTest, Md5IsOfTheStartedBinaryAndAStarTellsThatItChanged) {
  const std::string binary = path("binary");
  std::filesystem::copy_file(probe(), binary);
  const std::string sum = run_program({"/usr/bin/md5sum", binary}).out.substr(0, 8);
  start({"--name", "web", "--", binary, "serve"});
  ASSERT_TRUE(wait_until(5s, [&] { return contains(row_of(ok({"status"}).out, "web"), sum + " "); })) << sum;
  EXPECT_TRUE(text_of(status("web").raw, "md5").starts_with(sum));
  EXPECT_EQ(status("web").raw.at("md5_changed"), json::value(false));
  write("binary.new", read(probe()) + "more", 0755);
  std::filesystem::rename(binary + ".new", binary);
  EXPECT_TRUE(wait_until(5s, [&] { return contains(row_of(ok({"status"}).out, "web"), sum + "*"); }))
      << ok({"status"}).out;
  EXPECT_EQ(status("web").raw.at("md5_changed"), json::value(true));
}

TEST_F(StatusTest, OddArgumentsStayOnOneLine) {
  start({"-1", "--name", "odd", "--", probe(), "args", "two\nlines", "\x1b[31mred", "tab\there", "\xff"});
  ok({"status"});
  const auto lines = lines_of(ok({"status"}).out);
  EXPECT_EQ(lines.size(), 3U);
  EXPECT_FALSE(contains(ok({"status"}).out, "\x1b[31mred"));
}

TEST_F(StatusTest, LinesAreCutOnATerminalAndNeverInAPipe) {
  const std::string longest(300, 'y');
  start({"-1", "--name", "wide", "--", probe(), "args", longest});
  EXPECT_TRUE(contains(ok({"status"}).out, longest));
  const Output output = ok({"status"}, {.terminal = TerminalSize{24, 90}});
  for (const auto& line : lines_of(without_escapes(output.out))) {
    EXPECT_LE(line.size() - static_cast<std::size_t>(line.ends_with('\r')), 90U) << line;
  }
  EXPECT_NE(row_of(output.out, "wide"), "") << output;
}

TEST_F(StatusTest, ColoursAreForTerminalsUnlessToldOtherwise) {
  start({"--name", "bad", "--", probe(), "wait-file", path("go"), "--", "exit", "3"});
  write("go", "");
  ASSERT_TRUE(wait_state("bad", "waiting"));
  const RunOptions terminal{.terminal = TerminalSize{}};
  RunOptions no_color = terminal;
  no_color.env = {{"NO_COLOR", "1"}};
  EXPECT_FALSE(contains(ok({"status"}).out, "\x1b["));
  EXPECT_TRUE(contains(ok({"--color", "always", "status"}).out, "\x1b["));
  EXPECT_TRUE(contains(ok({"status"}, terminal).out, "\x1b["));
  EXPECT_FALSE(contains(ok({"status"}, no_color).out, "\x1b["));
  EXPECT_FALSE(contains(ok({"--color", "never", "status"}, terminal).out, "\x1b["));
  EXPECT_EQ(run({"--color", "sometimes", "status"}).status, 2);
}

TEST_F(StatusTest, AliasesAreTheSame) {
  start({"--name", "web", "--", probe(), "serve"});
  for (const char* alias : {"ls", "list", "ps", "st"}) {
    EXPECT_NE(row_of(ok({alias}).out, "web"), "") << alias;
    EXPECT_TRUE(json({alias}).as_object().contains("jobs")) << alias;
  }
}

TEST_F(StatusTest, ShowsWhatIsOnDiskAfterShutdown) {
  start({"--name", "wanted", "--", probe(), "serve"});
  start({"--name", "stopped", "--", probe(), "serve"});
  stop({"stopped"});
  ok({"shutdown"});
  ASSERT_EQ(names({"all"}), (Args{"stopped", "wanted"}));
  EXPECT_TRUE(status("wanted").wanted);
  EXPECT_EQ(status("wanted").pid, 0);
  EXPECT_FALSE(status("stopped").wanted);
  EXPECT_TRUE(own_processes().empty()) << list(own_processes());
}

TEST_F(StatusTest, TerminalThatIsDumbGetsNoEscapes) {
  start({"--name", "web", "--", probe(), "serve"});
  EXPECT_FALSE(contains(ok({"status"}, {.env = {{"TERM", "dumb"}}, .terminal = TerminalSize{}}).out, "\x1b"));
}

}  // namespace

}  // namespace usvc::test
