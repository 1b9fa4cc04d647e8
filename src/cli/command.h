// The table of commands. The dispatcher, help and suggestions read it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/args.h"
#include "cli/context.h"

namespace usvc {

struct Invocation {
  Context& context;
  Arguments arguments;
  std::string called_as;  // the command's name or alias, as typed
};

enum class Section : std::uint8_t { run, look, tend, instance };

struct Command {
  std::string_view name;
  std::string_view aliases = {};  // "ls list ps st"
  Section section = Section::run;
  std::string_view arguments = {};  // "SELECTOR…", for usage lines
  std::string_view summary = {};
  std::string_view details = {};   // the rest of its help, whole lines
  bool listed = true;              // with a line in the overview, which is to fit a small terminal; else with its name
  bool internal = false;           // for programs: it is named nowhere
  std::string_view unlisted = {};  // "--json --once": options that it refuses, or that say nothing new
  bool pages = false;              // it may give a terminal to a pager
  bool whole_screen = false;       // it draws all over a terminal
  Options options = Options::anywhere;
  std::vector<Flag> (*flags)() = nullptr;
  // Returns the exit status.
  Result<int> (*run)(const Invocation& invocation) = nullptr;
};

std::span<const Command> command_table();
// By name or alias.
const Command* find_command_named(std::string_view word);
// The error for a word that is no command, with the nearest one.
Error unknown_command(std::string_view word, std::vector<std::string> names = {});

// The options that every command takes too, and those that only come before it.
std::vector<Flag> common_flags();
std::vector<Flag> leading_flags();

// The command's own and the common ones, as its help has them.
std::vector<Flag> listed_flags(const Command& command);
bool is_listed(const Command& command, const Flag& flag);

// The words as selectors: at least one, or ErrorKind::usage.
Status need_selectors(const Invocation& invocation, std::string_view command);

// No words at all, or ErrorKind::usage.
Status need_no_words(const Invocation& invocation, std::string_view command);

namespace command {

Result<int> attach(const Invocation& invocation);
Result<int> clean(const Invocation& invocation);
Result<int> complete(const Invocation& invocation);
Result<int> conf(const Invocation& invocation);
Result<int> console(const Invocation& invocation);
Result<int> doctor(const Invocation& invocation);
Result<int> events(const Invocation& invocation);
Result<int> help(const Invocation& invocation);
Result<int> init(const Invocation& invocation);
Result<int> jobs(const Invocation& invocation);
Result<int> load(const Invocation& invocation);
Result<int> log(const Invocation& invocation);
Result<int> logchunk(const Invocation& invocation);
Result<int> pidof(const Invocation& invocation);
Result<int> restart(const Invocation& invocation);
Result<int> run(const Invocation& invocation);
Result<int> save(const Invocation& invocation);
Result<int> shutdown(const Invocation& invocation);
Result<int> rotate(const Invocation& invocation);
Result<int> signal(const Invocation& invocation);
Result<int> start(const Invocation& invocation);
Result<int> status(const Invocation& invocation);
Result<int> stop(const Invocation& invocation);
Result<int> top(const Invocation& invocation);
Result<int> tmux_windows(const Invocation& invocation);
Result<int> upgrade(const Invocation& invocation);
Result<int> vars(const Invocation& invocation);
Result<int> wait(const Invocation& invocation);
Result<int> why(const Invocation& invocation);

std::vector<Flag> complete_flags();
std::vector<Flag> console_flags();
std::vector<Flag> attach_flags();
std::vector<Flag> events_flags();
std::vector<Flag> init_flags();
std::vector<Flag> load_flags();
std::vector<Flag> log_flags();
std::vector<Flag> restart_flags();
std::vector<Flag> run_flags();
std::vector<Flag> save_flags();
std::vector<Flag> start_flags();
std::vector<Flag> status_flags();
std::vector<Flag> top_flags();
std::vector<Flag> wait_flags();

}  // namespace command

// The words with the signal of `signal` put where the others stand: last. "-TERM web" -> "web TERM".
std::vector<std::string> signal_last(std::vector<std::string> words);

}  // namespace usvc
