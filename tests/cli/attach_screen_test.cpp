// usvc attach JOB in a real terminal emulator: what tmux shows of it.
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

// A tmux server of its own with one window, in which a program runs.
class TmuxWindow {
 public:
  using Run = std::function<Output(const Args&)>;

  TmuxWindow(Run run, std::string socket, const Args& command, TerminalSize size)
      : run_(std::move(run)), socket_(std::move(socket)) {
    Args args = {"new-session", "-d", "-x", std::to_string(size.columns), "-y", std::to_string(size.rows)};
    args.insert(args.end(), command.begin(), command.end());
    const Output output = tmux(args);
    EXPECT_EQ(output.status, 0) << output;
    tmux({"set", "-g", "status", "off"});
    tmux({"set", "-g", "remain-on-exit", "on"});
  }
  ~TmuxWindow() { tmux({"kill-server"}); }
  TmuxWindow(const TmuxWindow&) = delete;
  TmuxWindow& operator=(const TmuxWindow&) = delete;
  TmuxWindow(TmuxWindow&&) = delete;
  TmuxWindow& operator=(TmuxWindow&&) = delete;

  void keys(const Args& keys) const {
    Args args = {"send-keys"};
    args.insert(args.end(), keys.begin(), keys.end());
    tmux(args);
  }
  [[nodiscard]] std::string text() const { return tmux({"capture-pane", "-p"}).out; }
  // With colours, and where the cursor is.
  [[nodiscard]] std::string picture() const {
    return tmux({"capture-pane", "-p", "-e"}).out +
           tmux({"display", "-p", "#{cursor_x},#{cursor_y} #{cursor_flag} #{alternate_on} #{mouse_any_flag}"}).out;
  }
  bool wait_for(const std::string& part) const {
    return wait_until(15s, [&] { return contains(text(), part); });
  }
  bool wait_ended() const {
    return wait_until(15s, [&] { return tmux({"display", "-p", "#{pane_dead}"}).out == "1\n"; });
  }
  void resize(TerminalSize size) const {
    tmux({"resize-window", "-x", std::to_string(size.columns), "-y", std::to_string(size.rows)});
  }

 private:
  Output tmux(const Args& args) const {
    Args argv = {"/usr/bin/tmux", "-f", "/dev/null", "-S", socket_};
    argv.insert(argv.end(), args.begin(), args.end());
    return run_(argv);
  }

  Run run_;
  std::string socket_;
};

// Of a window's rows.
std::string without_empty_end(std::string text) {
  text.resize(text.find_last_not_of("\n ") + 1);
  return text;
}

class AttachScreenTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    environment()["TERM"] = "screen-256color";
    environment()["LC_ALL"] = "C.UTF-8";
    without_leak_sanitizer();
  }
  std::unique_ptr<TmuxWindow> attach(const std::string& job, TerminalSize size = {30, 100}, const Args& flags = {}) {
    Args words = {program(), "attach", job};
    words.insert(words.end(), flags.begin(), flags.end());
    const std::string socket = path("tmux-" + std::to_string(++windows_));
    const auto run = [this](const Args& argv) { return run_program(argv); };
    return std::make_unique<TmuxWindow>(run, socket, words, size);
  }
  std::string long_file() {
    std::string text;
    for (int i = 1; i <= 200; ++i) text += "line " + std::to_string(i) + " grüße 漢字\n";
    return write("text", text);
  }
  // A second viewer is shown what the first one sees.
  void expect_same_picture(const TmuxWindow& first, const std::string& job) {
    const auto second = attach(job);
    std::string theirs;
    const bool same = wait_until(15s, [&] { return (theirs = second->picture()) == first.picture(); });
    EXPECT_TRUE(same) << "first:\n" << first.picture() << "second:\n" << theirs;
    second->keys({"C-d"});
    EXPECT_TRUE(second->wait_ended());
  }

 private:
  int windows_ = 0;
};

TEST_F(AttachScreenTest, AnEditorLooksTheSameToTheSecond) {
  start({"--name", "ed", "-1", "--", "/usr/bin/vi", "-u", "NONE", "-N", "-n", long_file()});
  const auto first = attach("ed");
  ASSERT_TRUE(first->wait_for("line 29")) << first->text();
  first->keys({"100G", "O", "new text 漢", "Escape"});
  ASSERT_TRUE(first->wait_for("new text 漢")) << first->text();
  expect_same_picture(*first, "ed");
  first->keys({":q!", "Enter"});
  EXPECT_TRUE(first->wait_for("## ed exited with 0")) << first->text();
}

TEST_F(AttachScreenTest, APagerLooksTheSameToTheSecondAndFitsEveryWindow) {
  start({"--name", "page", "--", "/usr/bin/less", "-N", long_file()});
  const auto first = attach("page");
  ASSERT_TRUE(first->wait_for("line 29")) << first->text();
  first->keys({"/150", "Enter"});
  ASSERT_TRUE(first->wait_for("line 170")) << first->text();
  expect_same_picture(*first, "page");
  const auto larger = attach("page", {50, 120});
  EXPECT_TRUE(larger->wait_for("line 198")) << larger->text();
  // On a busy machine a pager may lose the key that comes with the new window.
  EXPECT_TRUE(wait_until(15s, [&] {
    first->keys({"g"});
    return contains(first->text(), "line 29 ");
  })) << first->text();
}

// The pager has line ends made by the terminal; what was printed before it has not.
TEST_F(AttachScreenTest, LinesFromBeforeAPagerBeginAtTheLeft) {
  start({"--name", "page", "--", "/bin/sh", "-c", "seq 1 40; less " + long_file() + "; echo back; read -r line"});
  ASSERT_TRUE(wait_log("page", "line 20 "));
  const auto window = attach("page");
  ASSERT_TRUE(window->wait_for("line 29 ")) << window->text();
  window->keys({"q"});
  EXPECT_TRUE(window->wait_for("\n39\n40\nback\n")) << window->text();
}

// ssh and its like.
TEST_F(AttachScreenTest, LinesFromBeforeOutputProcessingWasOffBeginAtTheLeft) {
  start({"--name", "raw", "--", "/bin/sh", "-c", "seq 1 10; stty raw; printf 'far\\r\\naway\\r\\n'; sleep 1000"});
  ASSERT_TRUE(wait_log("raw", "away"));
  const auto window = attach("raw");
  EXPECT_TRUE(window->wait_for("\n9\n10\nfar\naway\n")) << window->text();
}

TEST_F(AttachScreenTest, AWindowOfAnotherSizeShowsThePictureAsItIs) {
  start({"--name", "ed", "-1", "--", "/usr/bin/vi", "-u", "NONE", "-N", "-n", "-c", "set wrap", long_file()});
  const auto large = attach("ed", {30, 100});
  ASSERT_TRUE(large->wait_for("line 29")) << large->text();
  const auto small = attach("ed", {12, 20});
  ASSERT_TRUE(wait_until(15s, [&] {
    return contains(small->text(), "line 11") && !contains(small->text(), "line 12");
  })) << small->text();
  const auto expect_same = [&](const std::string& part) {
    EXPECT_TRUE(small->wait_for(part)) << small->text();
    const auto same = [&] { return without_empty_end(large->text()) == without_empty_end(small->text()); };
    EXPECT_TRUE(wait_until(15s, same)) << "large:\n" << large->text() << "small:\n" << small->text();
  };
  expect_same("line 11");
  // Lines that fill the small window are written without a move to the next.
  small->keys({"O", "0123456789abcdefghijklmnopqrstuvwxyz 0123456789", "Escape"});
  expect_same("klmnopqrstuvwxyz 012");
  small->keys({"190G"});
  expect_same("line 190");
  // The one who types next has it in their own window, and the other a part of that, with what the cursor is on.
  large->keys({"1G"});
  EXPECT_TRUE(large->wait_for("line 28 ")) << large->text();
  large->keys({"20G"});
  EXPECT_TRUE(small->wait_for("line 19 ")) << small->text();
  EXPECT_FALSE(contains(small->text(), "line 20 ")) << small->text();
  small->keys({":q!", "Enter"});
  EXPECT_TRUE(large->wait_for("## ed exited with 0")) << large->text();
}

TEST_F(AttachScreenTest, WhereTheBeginningIsFarAwayItIsDrawnAnew) {
  write("draw",
        "stty -echo -icanon; trap 'printf \"\\033[H\\033[2Jdrawn $(stty size)\"' WINCH\n"
        "printf '\\033[?1049h\\033[?25l'; head -c 40000000 /dev/zero | tr '\\0' x; printf '\\033[2J'\n"
        "echo filled; while :; do sleep 0.1; done\n");
  start({"--name", "old", "--", "/bin/bash", path("draw")});
  ASSERT_TRUE(wait_log("old", "filled", 30s));
  const auto user = attach("old", {24, 80});
  EXPECT_TRUE(user->wait_for("drawn 24 80")) << user->text();
}

// One that is deaf to another size while it draws, and to every third telling of one.
TEST_F(AttachScreenTest, WhoIsHardOfHearingHasItsOwnSizeAfterItIsDrawnAnew) {
  write("deaf.py",
        "import os, signal, time, tty\n"
        "tty.setcbreak(0)\n"
        "told = 0\n"
        "def draw(*_):\n"
        "  global told\n"
        "  told += 1\n"
        "  rows = os.get_terminal_size(1).lines\n"
        "  if told == 2: return\n"
        "  signal.signal(signal.SIGWINCH, signal.SIG_IGN)\n"
        "  os.write(1, b'\\x1b[2Jdrawing')\n"
        "  time.sleep(0.05)\n"
        "  os.write(1, b'\\x1b[Hrows: %d, told: %d\\x1b[K' % (rows, told))\n"
        "  signal.signal(signal.SIGWINCH, draw)\n"
        "os.write(1, b'\\x1b[?1049h')\n"
        "for _ in range(3000): os.write(1, b'\\x1b[1;1H' + b'x' * 70 * 14)\n"
        "os.write(1, b'filled')\n"
        "signal.signal(signal.SIGWINCH, draw)\n"
        "while True: time.sleep(1)\n");
  start({"--name", "deaf", "--", "/usr/bin/python3", path("deaf.py")});
  ASSERT_TRUE(wait_log("deaf", "filled", 30s));
  const auto user = attach("deaf", {24, 80});
  EXPECT_TRUE(user->wait_for("rows: 24, told: 3")) << user->text();
}

// What libvterm takes from the stack for one long text.
TEST_F(AttachScreenTest, LongAgoOnTheAlternateScreen) {
  write("count.py",
        "import sys, time\nout = sys.stdout\nout.write('\\x1b[?1049h\\x1b[2J\\x1b[1;1HHEADER')\n"
        "for i in range(200000): out.write('\\x1b[5;1Hcount %d' % i)\nout.flush()\ntime.sleep(1000)\n");
  start({"--name", "count", "--", "/usr/bin/python3", path("count.py")});
  ASSERT_TRUE(wait_log("count", "count 199999"));
  const auto window = attach("count");
  EXPECT_TRUE(window->wait_for("count 199999")) << window->text();
  window->keys({"C-d"});
  EXPECT_TRUE(window->wait_ended());
}

TEST_F(AttachScreenTest, LinesOnTheAlternateScreenBeginAtTheLeft) {
  start({"--name", "lines", "--", "/bin/sh", "-c",
         "printf '\\033[?1049h\\033[2J\\033[H'; printf 'first\\nsecond\\nthird\\n'; read -r line"});
  ASSERT_TRUE(wait_log("lines", "third\n"));
  const auto window = attach("lines");
  EXPECT_TRUE(window->wait_for("\nsecond\nthird\n")) << window->text();
}

TEST_F(AttachScreenTest, WhatStandsRightOfAnEmojiLooksTheSameToTheSecond) {
  write("emoji",
        "read -r line; printf "
        "'\\033[2J\\033[1;1H👩‍👩‍👧\\033[1;30Hone\\033[2;1H🏳️‍🌈\\033[2;30Htwo'\n"
        "printf '\\033[3;1H🫠\\033[3;30Hthree\\033[4;1H漢字 e\xcc\x81 four\\033[5;1Hend'; read -r line\n");
  start({"--name", "emoji", "--", "/bin/sh", path("emoji")});
  const auto first = attach("emoji");
  first->keys({"Enter"});
  ASSERT_TRUE(first->wait_for("end")) << first->text();
  expect_same_picture(*first, "emoji");
}

TEST_F(AttachScreenTest, OriginModeIsOnForTheNextOneToo) {
  write("origin",
        "printf '\\033[2J\\033[5;20r\\033[?6h\\033[2;1Hhere'; read -r line; printf '\\033[1;1Htop'; read -r line\n");
  start({"--name", "origin", "--", "/bin/sh", path("origin")});
  ASSERT_TRUE(wait_log("origin", "here"));
  const auto window = attach("origin", {24, 80});  // a change would end the margins
  ASSERT_TRUE(window->wait_for("\n\n\n\n\nhere\n")) << window->text();
  window->keys({"x", "Enter"});
  EXPECT_TRUE(window->wait_for("\n\n\n\ntop\nherex\n")) << window->text();
}

// As an editor leaves them that has scrolled; a terminal that gets another size forgets them.
TEST_F(AttachScreenTest, MarginsOfASmallerTerminalAreForgotten) {
  start({"--name", "sh", "-e", "PS1=> ", "--", "/bin/bash", "--norc", "--noprofile", "-i"});
  const auto small = attach("sh", {30, 80});
  ASSERT_TRUE(small->wait_for(">")) << small->text();
  small->keys({"printf '\\033[1;20r\\033[1;30r\\033[Hfar'; echo away", "Enter"});
  ASSERT_TRUE(small->wait_for("faraway")) << small->text();
  small->keys({"C-d"});
  ASSERT_TRUE(small->wait_ended());
  for (const TerminalSize size : {TerminalSize{50, 80}, TerminalSize{44, 90}}) {
    const auto large = attach("sh", size);
    ASSERT_TRUE(large->wait_for(">")) << large->text();
    large->keys({"printf '\\033[1;" + std::to_string(size.rows - 3) + "r'; clear; seq 100", "Enter"});
    const std::string rows = "\n99\n100\n>";
    EXPECT_TRUE(large->wait_for(rows)) << large->text();
    // As many as there are between those margins: it is the newest size's that count.
    EXPECT_EQ(std::ranges::count(without_empty_end(large->text()), '\n'), size.rows - 4) << large->text();
    large->keys({"printf '\\033[r'; clear; seq 100", "Enter"});
    EXPECT_TRUE(wait_until(15s, [&] {
      return std::ranges::count(without_empty_end(large->text()), '\n') == size.rows - 1;
    })) << large->text();
    large->keys({"printf '\\033[1;20r'; clear", "Enter", "C-d"});
    ASSERT_TRUE(large->wait_ended());
  }
  // Also for who comes later, and in another size.
  const auto last = attach("sh", {40, 80});
  last->keys({"seq 100", "Enter"});
  EXPECT_TRUE(wait_until(15s, [&] {
    const std::string text = without_empty_end(last->text());
    return text.ends_with("\n100\n>") && std::ranges::count(text, '\n') == 39;
  })) << last->text();
}

TEST_F(AttachScreenTest, LinesAfterOutputProcessingIsOnAgainBeginAtTheLeft) {
  start({"--name", "ask", "--", "/bin/sh", "-c",
         "read -r line; S=$(stty -g); stty raw -echo; printf 'key? '; dd bs=1 count=1 2>&-; sleep 0.3; stty $S; echo; "
         "echo one; "
         "echo two; sleep 1000"});
  const auto window = attach("ask");
  window->keys({"Enter"});
  ASSERT_TRUE(window->wait_for("key?")) << window->text();
  window->keys({"x"});  // by which the viewer learns of the settings, too
  EXPECT_TRUE(window->wait_for("\none\ntwo\n")) << window->text();
}

TEST_F(AttachScreenTest, WhatIsSaidOfARunsEndBeginsALine) {
  start({"--name", "ask", "-1", "--", "/bin/sh", "-c", "printf 'name? '; read -r line; printf ended; exit 3"});
  const auto window = attach("ask");
  ASSERT_TRUE(window->wait_for("name?")) << window->text();
  window->keys({"x", "Enter"});
  EXPECT_TRUE(window->wait_for("\nended\n## ask exited with 3")) << window->text();
  window->keys({"y"});
  EXPECT_TRUE(window->wait_for(" ##\n## ask does not run")) << window->text();
}

class DrawnRowsTest : public AttachScreenTest {
 protected:
  // A program that draws each row of its screen, scrolls it by one for each key, and has first written so many bytes.
  void start_rows(int bytes) {
    write("rows.py",
          "import os, signal, sys, tty\n"
          "tty.setcbreak(0)\n"
          "def draw(*_):\n"
          "  rows = range(1, os.get_terminal_size(1).lines + 1)\n"
          "  os.write(1, b'\\x1b[2J' + b''.join(b'\\x1b[%d;1Hrow %d' % (row, row) for row in rows))\n"
          "signal.signal(signal.SIGWINCH, draw)\n"
          "os.write(1, b'\\x1b[?1049h\\x1b[1;24r')\n"
          "for _ in range(int(sys.argv[1]) // 1000): os.write(1, b'\\x1b[1;1H' + b'x' * 70 * 14)\n"
          "draw()\n"
          "while os.read(0, 1): os.write(1, b'\\x1b[%d;1H\\r\\nnew' % os.get_terminal_size(1).lines)\n");
    start({"--name", "rows", "--", "/usr/bin/python3", path("rows.py"), std::to_string(bytes)});
    ASSERT_TRUE(wait_log("rows", "row 24", 30s));
  }
};

// Those of the 24 rows there were when it began.
TEST_F(DrawnRowsTest, MarginsDoNotOutliveTheSizeTheyWereMadeFor) {
  start_rows(0);
  const auto window = attach("rows", {40, 100});
  ASSERT_TRUE(window->wait_for("row 40")) << window->text();
  window->keys({"x"});
  EXPECT_TRUE(window->wait_for("row 40\nnew\n")) << window->text();
  EXPECT_TRUE(window->text().starts_with("row 2\n")) << window->text();
}

// Whose beginning is too far away to be looked at, so that it is drawn anew by its program.
TEST_F(DrawnRowsTest, TheNextManagerKnowsTheSize) {
  start_rows(3'000'000);
  const auto window = attach("rows", {40, 100});
  ASSERT_TRUE(window->wait_for("row 40")) << window->text();
  kill_hard(manager_pid());
  ok({"jobs"});
  window->keys({"C-c"});
  ASSERT_TRUE(window->wait_for("## Use usvc stop")) << window->text();
  const auto drawn_anew = [&] { return contains(window->text(), "row 40\n") && !contains(window->text(), "##"); };
  EXPECT_TRUE(wait_until(15s, drawn_anew)) << window->text();
  // What is drawn anew a moment later has no place for what a key did before.
  EXPECT_TRUE(wait_until(15s, [&] {
    window->keys({"x"});
    return contains(window->text(), "\nnew\n");
  })) << window->text();
  EXPECT_TRUE(contains(window->text(), "row 40\n")) << window->text();
}

TEST_F(DrawnRowsTest, WhoOnlyLooksIsToldThatSomeIsMissing) {
  start_rows(3'000'000);
  const auto window = attach("rows", {24, 100}, {"--read-only"});
  EXPECT_TRUE(window->wait_for("## Looking only: some of the picture is missing")) << window->text();
}

TEST_F(AttachScreenTest, AShellIsUsable) {
  start({"--name", "sh", "-e", "PS1=> ", "--", "/bin/bash", "--norc", "--noprofile", "-i"});
  const auto first = attach("sh");
  ASSERT_TRUE(first->wait_for(">")) << first->text();
  first->keys({"echo one; echo two", "Enter"});
  ASSERT_TRUE(first->wait_for("one\ntwo\n>")) << first->text();
  first->keys({"echo abd", "Left", "c", "Enter"});
  ASSERT_TRUE(first->wait_for("abcd\n>")) << first->text();
  expect_same_picture(*first, "sh");
  first->keys({"C-c"});
  EXPECT_TRUE(first->wait_for("## Use usvc stop to terminate this process ##")) << first->text();
}

}  // namespace

}  // namespace usvc::test
