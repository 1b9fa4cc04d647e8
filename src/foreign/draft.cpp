#include "foreign/draft.h"

#include <algorithm>
#include <cerrno>

#include "base/lookup.h"
#include "base/shell_words.h"
#include "base/text.h"
#include "job/env_file.h"
#include "job/names.h"
#include "job/options.h"

namespace usvc::foreign {

namespace {

bool is_name_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

}  // namespace

std::string Reading::place(int line) const {
  return around_->file + (line > 0 ? ":" + std::to_string(line) : "") + ": ";
}

void Reading::wrong(int line, const std::string& what) {
  if (status_) status_ = fail(place(line) + printable(what));
}

void Reading::tell(int line, const std::string& what, bool left_out) {
  imported_.remarks.push_back({place(line) + printable(what), left_out});
  count(what.size(), line);
}

// A text said once in the file may come again with each copy of a job.
void Reading::count(std::size_t bytes, int line) {
  bytes_ += bytes;
  if (bytes_ > most_bytes) wrong(line, "with all copies of its jobs the set is larger than 64M");
}

bool Reading::reserve(long long jobs, int line) {
  const bool room = jobs <= most_jobs - reserved_;
  if (!room) wrong(line, "a set has at most " + std::to_string(most_jobs) + " jobs, and here it has more");
  reserved_ = room ? reserved_ + jobs : most_jobs;
  return room;
}

void Reading::add(Job job, int line) {
  std::size_t bytes = 0;
  for (const auto& entry : job.entries) bytes += entry.value.size();
  for (const auto& assignment : job.env) bytes += assignment.size();
  count(bytes, line);
  imported_.jobs.push_back(std::move(job));
}

std::string Reading::fitting(const std::string& name, int line, std::string_view what) {
  std::string fit = name;
  for (char& c : fit) {
    if (!is_name_character(c) && c != '.' && c != '-') c = '-';
  }
  fit.erase(0, std::min(fit.find_first_not_of("-."), fit.size()));
  fit.resize(std::min(fit.size(), longest_name));
  if (fit.empty()) fit = "job";
  if (is_reserved(fit)) fit += "-job";
  if (fit != name) tell(line, name + ": as the name of a " + std::string(what) + " it has become " + fit);
  return fit;
}

std::string Reading::group_name(const std::string& name, int line) {
  return fitting(name, line, "group");
}

std::string Reading::job_name(const std::string& name, int line) {
  const std::string fit = fitting(name, line, "job");
  std::string free = fit;
  for (int& n = next_numbers_.try_emplace(fit, 2).first->second; names_.contains(free); ++n) {
    const std::string number = "-" + std::to_string(n);
    free = fit.substr(0, longest_name - number.size()) + number;
  }
  if (free != fit) tell(line, name + ": there is another of this name, so it has become " + free);
  names_.insert(free);
  return free;
}

Result<Imported> Reading::result() && {
  if (!status_) return pass(status_);
  return std::move(imported_);
}

std::string Draft::said(std::string_view theirs, std::string_view what) const {
  return shown_ + ": " + (theirs.empty() ? "" : std::string(theirs) + ": ") + std::string(what);
}

void Draft::set(std::string_view key, std::string value, std::string_view theirs, int line) {
  const Option* option = find_option(key);
  if (option == nullptr) return wrong(theirs, "there is no such key as " + std::string(key), line);
  if (auto good = check_value(*option, value); !good) return wrong(theirs, good.error().message(), line);
  if (!option->repeatable) std::erase_if(job_.entries, [&](const ConfEntry& entry) { return entry.key == key; });
  ConfEntry entry;
  entry.key = key;
  entry.value = std::move(value);
  job_.entries.push_back(std::move(entry));
}

void Draft::tell(std::string_view theirs, std::string_view what, int line) {
  reading_->tell(line, said(theirs, what));
}

void Draft::wrong(std::string_view theirs, std::string_view what, int line) {
  reading_->wrong(line, said(theirs, what));
}

void Draft::unknown(std::string_view theirs, const std::vector<std::string>& known, int line) {
  const std::string near = nearest(theirs, known);
  tell(theirs, "usvc knows no such key and passes over it" + (near.empty() ? "" : " (did you mean " + near + "?)"),
       line);
}

void Draft::variable(const std::string& name, const std::string& value, std::string_view theirs, int line) {
  std::string assignment = name + "=" + value;
  auto good = check_assignment(assignment);
  if (!good) return wrong(theirs, good.error().message(), line);
  if (name.find('=') != std::string::npos) return wrong(theirs, "'" + name + "' is no name of a variable", line);
  job_.env.push_back(std::move(assignment));
}

// Of one variable the last.
void Draft::drop_overwritten() {
  std::set<std::string> seen;
  std::vector<std::string> kept;
  for (auto assignment = job_.env.rbegin(); assignment != job_.env.rend(); ++assignment) {
    if (seen.insert(assignment->substr(0, assignment->find('='))).second) kept.push_back(std::move(*assignment));
  }
  std::reverse(kept.begin(), kept.end());
  job_.env = std::move(kept);
}

void Draft::directory(const std::string& path) {
  cwd_ = path_from(path, reading_->around().directory);
}

void Draft::user(std::string_view theirs, const std::string& user, int line) {
  if (user == reading_->around().user) return;
  tell(theirs, "a job of usvc runs as whoever started it, not as " + user + "; load it as that user", line);
}

void Draft::run_line(std::string line, std::vector<std::string> shell) {
  shell_line_ = std::move(line);
  shell_ = std::move(shell);
}

Result<std::string> Draft::find(std::string_view word) const {
  const auto& around = reading_->around();
  std::string own;
  std::string callers;
  const std::string* path = lookup(job_.env, "PATH", own);
  if (path == nullptr) path = lookup(around.env, "PATH", callers);
  return around.find(word, cwd(), path == nullptr ? default_path : *path);
}

// "A=b program words": as the shell would have run it, but without one.
bool Draft::take_plain_line() {
  if (!is_plain_line(shell_line_)) return false;
  auto words = split_shell_words(shell_line_).words;
  auto first = std::find_if_not(words.begin(), words.end(), is_shell_assignment);
  if (first == words.end()) return false;
  const auto assignments = std::vector<std::string>(words.begin(), first);
  if (*first == "exec" && first + 1 != words.end()) ++first;
  if (!find(*first)) return false;
  for (const auto& assignment : assignments) {
    const auto equals = assignment.find('=');
    variable(assignment.substr(0, equals), assignment.substr(equals + 1), "", line_);
  }
  words_.assign(first, words.end());
  return true;
}

void Draft::finish(const std::string& name, const std::string& group) {
  if (!shell_line_.empty() && !take_plain_line()) {
    words_ = shell_;
    words_.push_back(shell_line_);
  }
  if (words_.empty()) return wrong("", "it does not say what to run", line_);
  auto program = find(words_.front());
  if (!program) {
    return reading_->tell(line_, said("", "left out: " + program.error().message()), true);
  }
  set("cmd", *program, "", line_);
  for (std::size_t i = 1; i < words_.size(); ++i) set("arg", words_[i], "", line_);
  set("cwd", cwd(), "", line_);
  drop_overwritten();
  // The order in which a conf is written.
  const auto options = option_table();
  const auto rank = [&](const ConfEntry& entry) { return find_option(entry.key) - options.data(); };
  std::stable_sort(job_.entries.begin(), job_.entries.end(),
                   [&](const ConfEntry& a, const ConfEntry& b) { return rank(a) < rank(b); });
  job_.name = reading_->job_name(name, line_);
  job_.group = reading_->group_name(group, line_);
  reading_->add(std::move(job_), line_);
}

const Told* find_told(const Told* begin, const Told* end, std::string_view key) {
  const Told* found = std::find_if(begin, end, [&](const Told& row) { return row.key == key; });
  return found == end ? nullptr : found;
}

const std::string* lookup(const std::vector<std::string>& env, std::string_view name, std::string& storage) {
  const auto found = std::find_if(env.rbegin(), env.rend(), [&](const std::string& assignment) {
    return assignment.size() > name.size() && assignment.starts_with(name) && assignment[name.size()] == '=';
  });
  if (found == env.rend()) return nullptr;
  storage = found->substr(name.size() + 1);
  return &storage;
}

std::vector<std::string> dotenv(Reading& reading, std::string_view text, const std::string& file) {
  std::vector<std::string> env;
  for (auto& line : read_env_file(text)) {
    const std::string place = file + ":" + std::to_string(line.number) + ": ";
    if (line.no_assignment) {
      reading.tell(0, place + "this line is no K=V and is passed over");
    } else if (!line.wrong.empty()) {
      reading.wrong(0, place + line.wrong);
    } else {
      env.push_back(std::move(line.assignment));
    }
  }
  return env;
}

std::vector<std::string> dotenv_beside(Reading& reading) {
  const std::string file = path_from(".env", reading.around().directory);
  auto text = reading.around().read(file);
  if (text) return dotenv(reading, *text, file);
  const int why = text.error().code();
  // Python's environments like to have this name too.
  if (why == EISDIR) reading.tell(0, text.error().message() + "; it is passed over");
  if (why != ENOENT && why != EISDIR) reading.wrong(0, text.error().message());
  return {};
}

std::string path_from(const std::string& path, const std::string& directory) {
  if (path.starts_with('/')) return path;
  std::string out = directory;
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    out += (out.ends_with('/') ? "" : "/") + std::string(part);
  }
  return out;
}

bool is_shell_assignment(std::string_view word) {
  const auto equals = word.find('=');
  if (equals == std::string_view::npos || equals == 0 || is_digit(word.front())) return false;
  return std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals), is_name_character);
}

bool is_plain_line(std::string_view line) {
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const std::string_view special = quote == '"' ? "$`" : "$`*?[]~#&|;<>(){}!\n";
    if (quote != '\'' && special.find(c) != std::string_view::npos) return false;
    if (quote != '\'' && c == '\\') {
      ++i;
      if (i == line.size() || line[i] == '\n') return false;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  return quote == 0;
}

}  // namespace usvc::foreign
