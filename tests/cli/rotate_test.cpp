// Logs that are rotated, moved, cut and removed while jobs write to them, and what becomes of the old ones.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <sstream>

#include "cli/cli_test.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;

class RotateTest : public CliTest {
 protected:
  // A job that writes numbered lines for as long as it lives, a few each 10 ms.
  void count(const std::string& name, const Args& options) {
    Args args = {"--settle", "0", "--name", name};
    args.insert(args.end(), options.begin(), options.end());
    args.insert(args.end(), {"--", "sh", "-c",
                             "i=0; while :; do i=$((i+1)); echo line $i; echo error $i >&2; "
                             "[ $((i % 20)) != 0 ] || sleep 0.01; done"});
    start(args);
    // On a busy machine that line may be in an old file before anybody looks.
    ASSERT_TRUE(wait_until(20s, [&] { return contains(log_text(name), "line 20\n") || !old(name + ".log.").empty(); }));
  }
  // Names in logs/old that begin so and are no indexes.
  [[nodiscard]] std::vector<std::string> old(const std::string& beginning) const {
    std::set<std::string> names;
    std::error_code gone;
    for (const auto& entry : fs::directory_iterator(home() + "/logs/old", gone)) {
      const std::string name = entry.path().filename();
      if (name.starts_with(beginning) && !name.ends_with(".idx") && !name.ends_with(".tmp")) names.insert(name);
    }
    return {names.begin(), names.end()};
  }
  [[nodiscard]] bool all_compressed(const std::string& beginning) const {
    const auto names = old(beginning);
    return std::ranges::all_of(names, [](const auto& name) { return name.ends_with(".zst"); });
  }
  // All that was written, read by other programs; the job does not run.
  std::string whole(const std::string& name) {
    EXPECT_TRUE(wait_until(20s, [&] { return all_compressed(name + ".log."); }));
    std::string all;
    for (const auto& file : old(name + ".log.")) {
      all += run_program({"/usr/bin/zstdcat", home() + "/logs/old/" + file}).out;
    }
    return all + read(home() + "/logs/" + name + ".log");
  }
  static void expect_counted(const std::string& text, const std::string& word) {
    std::istringstream lines(text);
    std::int64_t expected = 1;
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with(word)) continue;
      ASSERT_EQ(line, word + " " + std::to_string(expected));
      ++expected;
    }
    EXPECT_GT(expected, 20);
  }
  bool wait_event(const std::string& job, const std::string& event, const std::string& message) {
    return wait_until(20s, [&] {
      const auto all = events_of(job, event);
      return std::ranges::any_of(all, [&](const auto& line) {
        return line.contains("message") && contains(std::string(line.at("message").as_string()), message);
      });
    });
  }
};

TEST_F(RotateTest, FullLogsGoToOldAndAreCompressed) {
  for (const bool terminal : {true, false}) {
    const std::string name = terminal ? "tty" : "pipe";
    Args options = {"--log-max-size", "8K", "--log-keep", "10000"};
    if (!terminal) options.push_back("--no-tty");
    count(name, options);
    EXPECT_TRUE(wait_until(20s, [&] { return old(name + ".log.").size() >= 3; }));
    stop({name});
    const std::string text = whole(name);
    expect_counted(text, "line");
    expect_counted(text, "error");
    struct stat info {};
    const std::string first = home() + "/logs/old/" + old(name + ".log.").front();
    ASSERT_EQ(stat(first.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    EXPECT_TRUE(run_program({"/usr/bin/zstdcat", first}).out.ends_with("\n"));
    EXPECT_TRUE(exists(first.substr(0, first.size() - 4) + ".idx"));
    EXPECT_TRUE(wait_event(name, "rotated", name + ".log.000001"));
  }
}

TEST_F(RotateTest, OnDemandOfJobsThatRunAndThatDoNot) {
  count("one", {});
  start({"--name", "two", "--once", "--", "echo", "once"});
  ASSERT_TRUE(wait_state("two", "stopped"));
  EXPECT_EQ(ok({"rotate", "one", "two"}).out, "one rotated\ntwo rotated\n");
  EXPECT_TRUE(contains(ok({"rotate", "two"}).out, "left alone: its log is empty"));
  EXPECT_EQ(whole("two"), "once\n");
  ok({"start", "two"});
  ASSERT_TRUE(wait_log("two", "once\n"));
  stop({"all"});
  EXPECT_EQ(whole("two"), "once\nonce\n");
  expect_counted(whole("one"), "line");
  fails(3, {"rotate", "nobody"});
  fails(2, {"rotate"});
}

TEST_F(RotateTest, NoMoreAreKeptThanTheConfSays) {
  count("job", {"--log-max-size", "4K", "--log-keep", "2"});
  ASSERT_TRUE(wait_event("job", "rotated", "removed: log-keep = 2"));
  stop({"job"});
  EXPECT_TRUE(wait_until(20s, [&] { return old("job.log.").size() <= 2 && all_compressed("job.log."); }));
}

TEST_F(RotateTest, AGroupsLogsHaveNoMoreThanTheirTotal) {
  const std::string settings(vars().at("settings").as_string());
  fs::create_directories(fs::path(settings).parent_path());
  FILE* file = std::fopen(settings.c_str(), "we");
  ASSERT_NE(file, nullptr) << settings;
  (void)std::fputs("[core]\n\tlog-total = 20K\n", file);
  std::fclose(file);
  count("job", {"--log-max-size", "8K", "--log-keep", "1000"});
  EXPECT_TRUE(wait_event("job", "rotated", "had more than log-total = 20K"));
}

TEST_F(RotateTest, MovedRemovedAndCutBySomebodyElse) {
  count("job", {"--no-tty"});
  const std::string log = home() + "/logs/job.log";
  fs::rename(log, path("moved"));
  ASSERT_TRUE(wait_until(20s, [&] { return exists(log) && !read(log).empty(); }));
  ASSERT_TRUE(wait_event("job", "rotated", "was moved or removed by somebody else"));
  const std::string moved = read(path("moved"));
  expect_counted(moved, "line");
  // Behind the last byte of the one comes the first of the other.
  const auto tail = moved.substr(moved.rfind('\n', moved.size() - 2) + 1);
  const std::string head = read(log).substr(0, 200);
  const bool was_error = tail.starts_with("error");
  const auto number = std::stoll(tail.substr(tail.find(' ') + 1));
  EXPECT_TRUE(head.starts_with((was_error ? "line " : "error ") + std::to_string(number + (was_error ? 1 : 0))))
      << tail << "\n"
      << head;
  // A program with a descriptor of its own would leave a hole here.
  fs::resize_file(log, 0);
  ASSERT_TRUE(wait_until(20s, [&] { return fs::file_size(log) > 0; }));
  EXPECT_FALSE(contains(read(log), std::string(1, '\0')));
  fs::remove(log);
  EXPECT_TRUE(wait_until(20s, [&] { return exists(log) && !read(log).empty(); }));
  EXPECT_EQ(status("job").deaths, 0);
}

TEST_F(RotateTest, ARunWhoseBeginningIsLostIsToldOf) {
  const std::string wait = "while ! [ -e " + path("go") + " ]; do sleep 0.02; done; ";
  start({"--name", "web", "--no-tty", "--", "/bin/sh", "-c", "echo one; " + wait + "echo two; exec sleep 1000"});
  const std::string id = status("web").run_id;
  ASSERT_TRUE(wait_until(20s, [&] { return ok({"logchunk", id}).out == "one\n"; }));
  ok({"rotate", "web"});
  write(path("go"), "", 0600);
  ASSERT_TRUE(wait_until(20s, [&] { return ok({"logchunk", id}).out == "one\ntwo\n"; }));
  ASSERT_TRUE(
      wait_until(20s, [&] { return fs::exists(home() + "/logs/old") && fs::remove_all(home() + "/logs/old") > 1; }));
  for (const Args& words : {Args{"logchunk", id}, Args{"log", "--run", "1", "web"}}) {
    const Output output = run(words);
    EXPECT_EQ(output.status, 1);
    EXPECT_EQ(output.out, "two\n");
    EXPECT_TRUE(contains(output.err, "the first 4 bytes of run " + id + " are in no file any more")) << output;
  }
}

TEST_F(RotateTest, AnIndexThatWasRemovedIsMadeAnew) {
  count("job", {"--no-tty"});
  const std::string log = home() + "/logs/job.log";
  ASSERT_TRUE(wait_until(20s, [&] { return exists(log) && exists(log + ".idx") && !read(log).empty(); }));
  fs::remove(log + ".idx");
  ASSERT_TRUE(wait_until(20s, [&] { return exists(log + ".idx"); }));
  EXPECT_TRUE(wait_until(20s, [&] {
    const auto lines = lines_of(ok({"log", "-t", "-n", "1", "job"}).out);
    return !lines.empty() && lines.front().starts_with("20");
  }));
  EXPECT_TRUE(ok({"log", "--run", "1", "job"}).out.starts_with("line 1\n")) << "all of it, not what came since";
}

TEST_F(RotateTest, OneThatCanNotBeRotatedGoesOnAndIsToldOfOnce) {
  if (getuid() == 0) be_user(nobody);
  const std::string directory = path("mine");
  fs::create_directory(directory);
  fs::permissions(directory, fs::perms::all);
  start({"--settle", "0", "--name", "job", "--log", directory + "/job.log", "--log-max-size", "4K", "--", "sh", "-c",
         "until [ -e " + path("go") +
             " ]; do sleep 0.01; done; i=0; while [ $i -lt 2000 ]; do i=$((i+1)); "
             "echo line $i; done; sleep 100"});
  ASSERT_TRUE(wait_until(20s, [&] { return exists(directory + "/job.log.idx"); }));
  fs::permissions(directory,
                  fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
  write("go", "");
  EXPECT_TRUE(wait_until(20s, [&] { return contains(read(directory + "/job.log"), "line 2000\n"); }));
  EXPECT_TRUE(wait_event("job", "error", "cannot rotate"));
  EXPECT_EQ(events_of("job", "error").size(), 1U);
  fs::permissions(directory, fs::perms::all);
}

TEST_F(RotateTest, StderrInALogOfItsOwn) {
  count("job", {"--no-tty", "--split", "--log-max-size", "4K", "--log-keep", "1000"});
  kill_hard(manager_pid());
  ASSERT_TRUE(wait_until(20s, [&] { return old("job.log.").size() >= 3 && old("job.err.log.").size() >= 3; }));
  kill_hard(keeper_pid());
  const auto before = old("job.err.log.").size();
  ASSERT_TRUE(wait_until(20s, [&] { return old("job.err.log.").size() > before; }));
  stop({"job"});
  const std::string out = whole("job");
  const std::string err = whole("job.err");
  EXPECT_FALSE(contains(out, "error"));
  EXPECT_FALSE(contains(err, "line"));
  expect_counted(out, "line");
  expect_counted(err, "error");
}

TEST_F(RotateTest, CleanTakesAllFilesOutOfTheJobsHistory) {
  count("job", {"--log-max-size", "4K", "--no-tty", "--split"});
  const auto rotated = [&] { return old("job.log.00").size() >= 2 && old("job.err.log.00").size() >= 2; };
  ASSERT_TRUE(wait_until(20s, rotated));
  stop({"job"});
  ok({"clean", "job"});
  EXPECT_EQ(old("job.log.00"), std::vector<std::string>{});
  EXPECT_EQ(old("job.err.log.00"), std::vector<std::string>{});
  EXPECT_GE(old("job.log.2").size(), 3U);
  EXPECT_GE(old("job.err.log.2").size(), 3U);
  EXPECT_FALSE(exists(home() + "/logs/job.log"));
  EXPECT_FALSE(exists(home() + "/logs/job.log.idx"));
  start({"--name", "job", "--once", "--", "echo", "anew"});
  ASSERT_TRUE(wait_log("job", "anew\n"));
  EXPECT_EQ(status("job").raw.at("log_offset").to_number<std::int64_t>(), 0);
}

TEST_F(RotateTest, NumberedFilesOfSomebodyElseAreNotRemoved) {
  write("app.log.000001", "theirs\n");
  write("app.log.000002.zst", "theirs too\n");
  start({"--name", "web", "-1", "--log", path("app.log"), "--log-keep", "1", "--", probe(), "print", "ours"});
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(wait_state("web", "stopped"));
    ok({"rotate", "web"});
    ok({"start", "web"});
  }
  ASSERT_TRUE(wait_until(20s, [&] { return !exists(path("app.log.000003")) && !exists(path("app.log.000003.zst")); }));
  EXPECT_EQ(read(path("app.log.000001")), "theirs\n");
  EXPECT_EQ(read(path("app.log.000002.zst")), "theirs too\n");
}

// Renaming a link would move the name and leave the bytes where they are.
TEST_F(RotateTest, ALogThatIsALinkIsRefusedOrNamed) {
  write("real.log", "");
  std::filesystem::create_symlink(path("real.log"), path("link.log"));
  const std::string why = path("link.log") + " is a symbolic link, and usvc never rotates one";
  const Output output = fails(1, {"start", "--name", "web", "--log", path("link.log"), "--", probe(), "serve"});
  EXPECT_TRUE(contains(output.err, why + " (name the file it leads to, " + path("real.log") + ")")) << output;
  start({"--name", "web", "--log", path("real.log"), "--", probe(), "serve"});
  EXPECT_TRUE(contains(fails(1, {"conf", "web", "log", path("link.log")}).err, why));
  EXPECT_FALSE(contains(run({"doctor"}).out, "symbolic link"));
  // By hand, with which its jobs have been made before.
  write("h/jobs/api.conf", "[core]\n\tcmd = " + probe() + "\n\targ = serve\n\tlog = " + path("link.log") + "\n", 0600);
  ok({"conf", "web", "log", path("other.log")});
  ok({"restart", "web"});
  start({"api"});
  const Output found = run({"doctor"});
  EXPECT_TRUE(contains(found.out, "api: the log " + path("link.log") + " is a symbolic link")) << found;
  const std::string mend = "usvc conf api log \"$(readlink -f " + path("link.log") + ")\" && usvc restart api";
  ASSERT_TRUE(contains(found.out, "-> " + mend)) << found;
  EXPECT_EQ(shell(mend).status, 0);
  EXPECT_EQ(status("api").log, path("real.log"));
  EXPECT_FALSE(contains(run({"doctor"}).out, "symbolic link"));
}

}  // namespace

}  // namespace usvc::test
