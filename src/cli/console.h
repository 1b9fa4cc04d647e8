// The prompt: `usvc> `.
//
// Lines are typed with a LineEditor. Each command is run by a usvc of its own in the terminal's foreground
// (cli/console_command.h), so nothing it does or suffers reaches the console. With a table, the upper part of the
// screen shows LiveStatus while a line is waited for.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command.h"
#include "cli/console_command.h"
#include "cli/console_signals.h"
#include "cli/console_words.h"
#include "cli/context.h"
#include "cli/live_status.h"
#include "terminal/history_file.h"
#include "terminal/line_editor.h"
#include "terminal/scroll_region.h"

namespace usvc {

enum class StatusTable { none, above };

class Console : private LineEditor::Host {
 public:
  // What `exit` does instead of ending the console; false: there is nothing else to leave.
  using Leave = std::function<Result<bool>()>;
  // On a terminal. Returns the exit status when the user leaves.
  static Result<int> run(const Context& context, StatusTable table, Leave leave);

 private:
  Console(const Context& context, ConsoleSignals signals, Leave leave)
      : context_(&context),
        signals_(std::move(signals)),
        leave_(std::move(leave)),
        history_(console_history_path(context.layout)) {}

  bool await_input() override;
  void suspend() override;
  Completion complete(std::string_view typed) override;
  void clear_screen() override;

  Status begin(StatusTable table);
  int loop();
  void take_line(const std::string& line);
  void act(std::vector<std::string> words);
  void act_own(const std::vector<std::string>& words);
  void run_command(const std::vector<std::string>& words);
  void leave();
  void refuse(const std::string& word);
  void load_history();
  void keep(const std::string& line);
  // With so many rows at most.
  void show_table(std::optional<std::size_t> rows = {});
  Meanwhile meanwhile(const std::vector<std::string>& words, const Command* command);
  void adapt_to_size();
  void fresh_line() const;
  [[nodiscard]] std::string prompt() const;

  const Context* context_;
  ConsoleSignals signals_;
  Leave leave_;
  HistoryFile history_;
  std::unique_ptr<LineEditor> editor_;
  std::optional<ScrollRegion> region_;
  std::optional<LiveStatus> live_;
  std::string pending_;  // lines that go on in the next
  int last_status_ = 0;
  bool over_ = false;
  bool complained_ = false;  // that lines can't be kept
};

}  // namespace usvc
