#include "cli/console.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/shell_words.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/console_command.h"
#include "cli/dispatch.h"
#include "cli/help.h"

namespace usvc {

namespace {

bool can_move_cursor() {
  const char* term = std::getenv("TERM");
  return term != nullptr && *term != '\0' && std::string_view(term) != "dumb";
}

// The command that a line calls, behind options that stand before it; none: none that is known.
const Command* command_of(const std::vector<std::string>& words) {
  const auto leading = parse_arguments(leading_flags(), Options::before_words, words);
  if (!leading || leading->words.empty()) return nullptr;
  return find_command_named(leading->words.front());
}

int milliseconds_until(LiveStatus::Clock::time_point moment) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(moment - LiveStatus::Clock::now()).count();
  return static_cast<int>(std::max<decltype(left)>(left, 0));
}

}  // namespace

Result<int> Console::run(const Context& context, StatusTable table, Leave leave) {
  // Before anything is shown: a signal that comes then has the terminal left as it was.
  auto signals = ConsoleSignals::create();
  if (!signals) return pass(signals);
  Console console(context, std::move(*signals), std::move(leave));
  if (auto status = console.begin(table); !status) return pass(status);
  return console.loop();
}

Status Console::begin(StatusTable table) {
  auto editor = LineEditor::create(*this);
  if (!editor) return pass(editor);
  editor_ = std::move(*editor);
  load_history();
  if (table == StatusTable::none) return {};
  if (!can_move_cursor()) {
    complain("this terminal has no place for a table (TERM)");
    return {};
  }
  auto region = ScrollRegion::enter(FdRef(STDOUT_FILENO));
  if (!region) return pass(region);
  region_.emplace(std::move(*region));
  live_.emplace(*context_);
  return {};
}

int Console::loop() {
  while (!over_) {
    if (signals_.resized()) adapt_to_size();
    const auto line = editor_->read(prompt());
    if (line.outcome == LineEditor::Outcome::end) {
      (void)print("\n");
      break;
    }
    if (line.outcome == LineEditor::Outcome::interrupted) {
      pending_.clear();
      last_status_ = 0;
      continue;
    }
    take_line(line.text);
    if (signals_.leave()) break;
  }
  return signals_.leave() ? 128 + *signals_.leave() : 0;
}

void Console::take_line(const std::string& line) {
  pending_ += line;
  auto split = split_shell_words(pending_);
  if (split.open) {
    pending_ += '\n';
    return;
  }
  keep(std::exchange(pending_, {}));
  act(std::move(split.words));
}

void Console::act(std::vector<std::string> words) {
  // For fingers that are used to it.
  if (!words.empty() && words.front() == "usvc") words.erase(words.begin());
  if (words.empty()) return;
  last_status_ = 0;
  const auto own = find_console_word(words.front());
  const bool of_command = own == ConsoleWord::help && words.size() > 1 && !find_console_word(words[1]);
  if (own && !of_command) {
    act_own(words);
  } else {
    run_command(words);
  }
}

void Console::act_own(const std::vector<std::string>& words) {
  switch (*find_console_word(words.front())) {
    case ConsoleWord::clear:
      clear_screen();
      break;
    case ConsoleWord::exit:
      leave();
      break;
    case ConsoleWord::help:
      (void)print(console_help());
      break;
    case ConsoleWord::notes:
      (void)print(console_notes(*context_));
      break;
  }
}

void Console::leave() {
  const auto left = leave_();
  if (!left) complain(left.error().message());
  over_ = left && !*left;
}

// A command and the console's own words are mistaken for each other.
void Console::refuse(const std::string& word) {
  std::vector<std::string> own;
  for (const auto& row : console_words()) own.emplace_back(row.name);
  complain(unknown_command(word, std::move(own)).message());
  last_status_ = exit_status_of(ErrorKind::usage);
}

void Console::run_command(const std::vector<std::string>& words) {
  const Command* command = command_of(words);
  if (command == nullptr && !words.front().starts_with('-')) return refuse(words.front());
  const bool whole_screen = region_ && command != nullptr && command->whole_screen;
  if (whole_screen) region_->release();
  const std::size_t rows = region_ && !whole_screen ? region_->rows_below() : 0;
  const auto status = run_in_foreground(own_program(*context_, words, rows), signals_, meanwhile(words, command));
  if (!status) complain(status.error().message());
  last_status_ = status.value_or(1);
  // Behind the ^C that the terminal has shown.
  if (last_status_ == 128 + SIGINT) (void)print("\n");
  if (signals_.resized()) adapt_to_size();
  if (whole_screen) {
    region_->restore_below();
  } else {
    if (region_) region_->restore();
    fresh_line();
  }
  if (live_) live_->expire();
}

namespace {

// It may give the whole screen to a pager.
bool may_page(const std::vector<std::string>& words, const Command& command) {
  const auto follows = [](const std::string& word) { return word.starts_with("-f") || word == "--follow"; };
  return command.pages && words.front() != "tail" && std::ranges::none_of(words, follows);
}

}  // namespace

// The table goes on, with as many rows as it has: those below are the command's.
Meanwhile Console::meanwhile(const std::vector<std::string>& words, const Command* command) {
  Meanwhile meanwhile;
  if (!live_ || command == nullptr || command->whole_screen || may_page(words, *command)) return meanwhile;
  meanwhile.fd = [this] { return live_->fd(); };
  meanwhile.timeout_ms = [this] { return milliseconds_until(live_->next()); };
  meanwhile.look = [this] {
    if (live_->tick() && !signals_.other_size()) show_table(region_->picture_rows());
  };
  return meanwhile;
}

// What was printed last may not have ended its line. The mark and blanks for a whole line leave the cursor in the same
// line only where it was at its beginning.
void Console::fresh_line() const {
  if (!can_move_cursor()) return;
  const auto width = Terminal::on(STDOUT_FILENO, ColorWish::never).width().value_or(80);
  (void)print(context_->out.paint(Color::dim, "¬") + std::string(width - 1, ' ') + "\r\x1b[K");
}

std::string Console::prompt() const {
  if (!pending_.empty()) return "    > ";
  if (last_status_ == 0) return "usvc> ";
  const std::string status = "[" + std::to_string(last_status_) + "]";
  if (!context_->out.colors()) return status + " usvc> ";
  return "\x01\x1b[31m\x01" + status + "\x01\x1b[0m\x01 usvc> ";
}

bool Console::await_input() {
  for (;;) {
    const int timeout = live_ ? milliseconds_until(live_->next()) : -1;
    std::array<pollfd, 3> fds = {pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.fd().get(), POLLIN, 0},
                                 pollfd{live_ ? live_->fd().get() : -1, POLLIN, 0}};
    if (::poll(fds.data(), fds.size(), timeout) < 0 && errno != EINTR) return false;
    if (fds[1].revents != 0) signals_.take();
    if (signals_.leave()) return false;
    if (signals_.resized()) {
      adapt_to_size();
      editor_->redraw();
    }
    if (live_ && live_->tick()) show_table();
    if (fds[0].revents != 0) return true;
  }
}

void Console::show_table(std::optional<std::size_t> rows) {
  const std::size_t most = region_->most_picture_rows();
  region_->show(live_->lines(region_->size().columns, std::min(most, rows.value_or(most))));
}

void Console::adapt_to_size() {
  editor_->resized();
  if (!region_) return;
  region_->resize();
  show_table();
}

void Console::suspend() {
  if (region_) region_->release();
  suspend_console();
  signals_.take();
  if (region_) region_->restore_below();
}

void Console::clear_screen() {
  if (region_) {
    region_->clear();
  } else {
    (void)print("\x1b[H\x1b[2J");
  }
}

Completion Console::complete(std::string_view typed) {
  const std::string text = pending_ + std::string(typed);
  auto split = split_shell_words(text);
  if (split.in_comment || split.last_begin < pending_.size()) return {};
  if (!split.in_word) split.words.emplace_back();
  if (split.words.size() > 1 && split.words.front() == "usvc") split.words.erase(split.words.begin());
  Completion completion;
  completion.begin = split.last_begin - pending_.size();
  for (const auto& candidate : complete_in_console(*context_, split.words).words) {
    completion.words.push_back(shell_escape(candidate.word));
    completion.shown.push_back(candidate.word);
  }
  return completion;
}

void Console::load_history() {
  const auto lines = history_.load();
  if (!lines) {
    complain(lines.error().message());
    return;
  }
  for (const auto& line : *lines) editor_->remember(line);
}

void Console::keep(const std::string& line) {
  if (trim(line).empty() || line.starts_with(' ')) return;
  editor_->remember(line);
  // There may have been no instance here yet.
  auto kept = ensure_private_dir(context_->layout.home);
  if (kept) kept = history_.add(line);
  if (!kept && !std::exchange(complained_, true)) complain("what is typed is not kept: " + kept.error().message());
}

}  // namespace usvc
