#include "cli/console_words.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/files.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/help.h"

namespace usvc {

namespace {

constexpr std::array<ConsoleWordRow, 5> word_table{{
    {"help", ConsoleWord::help, "this, or more about a command"},
    {"notes", ConsoleWord::notes, "a page on how to use it: selectors, keys, files"},
    {"clear", ConsoleWord::clear, "empty the screen (Ctrl-L)"},
    {"exit", ConsoleWord::exit, "leave (Ctrl-D)"},
    {"quit", ConsoleWord::exit, "the same"},
}};

constexpr std::string_view notes_before_files = R"(Typing
  Words are taken apart as in a shell: 'single' and "double" quotes, backslash,
  # begins a comment. There are no variables, pipes or redirections here.
  Tab completes, the arrow keys and Ctrl-R find what was typed before. A line that
  begins with a blank is not kept.
  Ctrl-C clears the line, or ends the command that runs. It never reaches a job.

Choosing jobs
  web-1          a job          'web-*'        a pattern
  web            a group        all live dead  what they say: dead do not run
  state:waiting  a state        web db-1       all of these

Looking
  status         the machine and the jobs: D counts deaths, ! says what is wrong
  why JOB        the state it is in, how it got there, what comes next
  log -f JOB     what it writes; --since 10m, --grep RE, -t for the time
  events -f      what happens to jobs
  attach JOB     its terminal. Ctrl-D leaves it, Ctrl-C does not reach the job,
                 Ctrl-] and a key sends that key as it is

)";

std::vector<std::string_view> program_directories() {
  const char* path = std::getenv("PATH");
  return split(path == nullptr ? std::string_view() : std::string_view(path), ':');
}

void add_files(Candidates& found, const std::string& typed) {
  const auto slash = typed.rfind('/');
  const std::string front = slash == std::string::npos ? "" : typed.substr(0, slash + 1);
  const auto names = list_dir(front.empty() ? "." : front);
  if (!names) return;
  const bool hidden = typed.substr(front.size()).starts_with('.');
  for (const auto& name : *names) {
    const std::string path = front + name;
    const bool shown = path.starts_with(typed) && (hidden || !name.starts_with('.')) && printable(name) == name;
    if (!shown) continue;
    const bool directory = ::access((path + "/.").c_str(), F_OK) == 0;
    if (directory || found.files) found.words.push_back({path + (directory ? "/" : "")});
  }
}

void add_programs(Candidates& found, const std::string& typed) {
  if (typed.empty()) return;
  for (const auto directory : program_directories()) {
    const auto names = list_dir(std::string(directory));
    if (!names) continue;
    for (const auto& name : *names) {
      const std::string path = std::string(directory) + "/" + name;
      if (name.starts_with(typed) && ::access(path.c_str(), X_OK) == 0) found.words.push_back({name});
    }
  }
}

}  // namespace

std::span<const ConsoleWordRow> console_words() {
  return word_table;
}

std::optional<ConsoleWord> find_console_word(std::string_view name) {
  const auto* row =
      std::find_if(word_table.begin(), word_table.end(), [&](const auto& word) { return word.name == name; });
  return row == word_table.end() ? std::nullopt : std::optional(row->word);
}

std::string console_history_path(const Layout& layout) {
  return layout.home + "/console_history";
}

std::string console_help() {
  std::string text = help_commands();
  for (const auto& word : word_table) {
    text += help_line(word.name == word_table.front().name ? "here" : "", word.name, word.summary);
  }
  return text + "help COMMAND tells more. SELECTOR: a job, group, all, live, dead, 'web-*'.\n";
}

std::string console_notes(const Context& context) {
  const Layout& layout = context.layout;
  std::string text(notes_before_files);
  text += "Files (vars tells all)\n";
  text += "  confs          " + printable(layout.jobs_dir) + "/NAME.conf\n";
  text += "  logs           " + printable(layout.logs_dir) + "/NAME.log, old ones in old\n";
  text += "  settings       " + printable(layout.settings) + "\n";
  text += "  this history   " + printable(console_history_path(layout)) + "\n";
  return text;
}

Candidates complete_in_console(const Context& context, const std::vector<std::string>& words) {
  const std::string& typed = words.back();
  const bool first = words.size() == 1;
  Candidates found = complete(context, words);
  std::erase_if(found.words, [&](const Candidate& candidate) { return first && candidate.word == "console"; });
  const bool of_help = words.size() == 2 && words.front() == "help";
  for (const auto& word : word_table) {
    const bool there = word.word == ConsoleWord::help;  // the table of commands has it
    if ((first || of_help) && !there && word.name.starts_with(typed)) found.words.push_back({std::string(word.name)});
  }
  if (found.programs && typed.find('/') == std::string::npos) add_programs(found, typed);
  found.files = found.files || (found.programs && typed.find('/') != std::string::npos);
  if (found.files || found.directories) add_files(found, typed);
  const auto by_name = [](const Candidate& a, const Candidate& b) { return natural_less(a.word, b.word); };
  std::stable_sort(found.words.begin(), found.words.end(), by_name);
  const auto same = [](const Candidate& a, const Candidate& b) { return a.word == b.word; };
  found.words.erase(std::unique(found.words.begin(), found.words.end(), same), found.words.end());
  return found;
}

}  // namespace usvc
