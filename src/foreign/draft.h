// What the readers of all formats share: a file being taken over, and a job of it that is being put together. What goes
// wrong first is kept; reading goes on, and the end tells.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/foreign.h"
#include "foreign/node.h"

namespace usvc::foreign {

// What several of them have and usvc has otherwise.
inline constexpr std::string_view in_usvc_log = "its output is in usvc's own log (usvc log)";
inline constexpr std::string_view never_gives_up =
    "usvc does not give up: it restarts at once, and waits longer and longer when it keeps dying young";

inline constexpr long long most_jobs = 10'000;

class Reading {
 public:
  explicit Reading(const Surroundings& around) : around_(&around) {}

  [[nodiscard]] const Surroundings& around() const { return *around_; }
  void wrong(int line, const std::string& what);
  void tell(int line, const std::string& what, bool left_out = false);
  // The name made fit for usvc, one that no job of the file has yet. A change is told.
  std::string job_name(const std::string& name, int line);
  std::string group_name(const std::string& name, int line);
  // Before the drafts of so many jobs are made; false: the set would have too many, and is wrong.
  bool reserve(long long jobs, int line);
  void add(Job job, int line);
  [[nodiscard]] bool good() const { return status_.has_value(); }
  Result<Imported> result() &&;

 private:
  [[nodiscard]] std::string place(int line) const;
  std::string fitting(const std::string& name, int line, std::string_view what);
  void count(std::size_t bytes, int line);

  const Surroundings* around_;
  Imported imported_;
  std::set<std::string> names_;
  std::map<std::string, int> next_numbers_;  // of names that several jobs wanted
  long long reserved_ = 0;
  std::size_t bytes_ = 0;
  Status status_;
};

class Draft {
 public:
  // `name` is the file's word for it.
  Draft(Reading& reading, std::string name, int line) : reading_(&reading), shown_(std::move(name)), line_(line) {}

  // A key of the conf, from what the file calls `theirs`.
  void set(std::string_view key, std::string value, std::string_view theirs, int line);
  void tell(std::string_view theirs, std::string_view what, int line);
  void wrong(std::string_view theirs, std::string_view what, int line);
  // A key that this format does not have, as far as usvc knows.
  void unknown(std::string_view theirs, const std::vector<std::string>& known, int line);
  void variable(const std::string& name, const std::string& value, std::string_view theirs, int line);
  void directory(const std::string& path);
  void stopped() { job_.start = false; }
  // `user`: whose it is to be.
  void user(std::string_view theirs, const std::string& user, int line);
  // Programs and their arguments, without a shell; whether it could be found is seen in finish().
  void run(std::vector<std::string> words) { words_ = std::move(words); }
  // A line for a shell, which is spared where the line is plain words and a program.
  void run_line(std::string line, std::vector<std::string> shell = {"/bin/sh", "-c"});
  // Puts the job into the set, under this name and group, which the file's rules made.
  void finish(const std::string& name, const std::string& group);

  [[nodiscard]] const std::string& shown() const { return shown_; }
  [[nodiscard]] const std::string& cwd() const { return cwd_.empty() ? reading_->around().directory : cwd_; }
  [[nodiscard]] Result<std::string> find(std::string_view word) const;
  [[nodiscard]] Reading& reading() { return *reading_; }

 private:
  [[nodiscard]] std::string said(std::string_view theirs, std::string_view what) const;
  bool take_plain_line();
  void drop_overwritten();

  Reading* reading_;
  std::string shown_;
  int line_;
  Job job_;
  std::string cwd_;
  std::vector<std::string> words_;
  std::vector<std::string> shell_;
  std::string shell_line_;
};

// A key that is told about, with what usvc does instead.
struct Told {
  std::string_view key;
  std::string_view what;
};
const Told* find_told(const Told* begin, const Told* end, std::string_view key);
template <class Table>
const Told* find_told(const Table& table, std::string_view key) {
  return find_told(table.data(), table.data() + table.size(), key);
}

// "K=V" -> the value of K in a list of assignments, the last one's; nullptr: there is none.
const std::string* lookup(const std::vector<std::string>& env, std::string_view name, std::string& storage);
// What a .env file says (job/env_file.h). Lines that are none are told.
std::vector<std::string> dotenv(Reading& reading, std::string_view text, const std::string& file);
// The same of the .env beside the file, where there is one.
std::vector<std::string> dotenv_beside(Reading& reading);
// The path from `directory` on.
std::string path_from(const std::string& path, const std::string& directory);
// NAME=…, with a name that a shell takes.
bool is_shell_assignment(std::string_view word);
// Whether a POSIX shell would do no more with the line than take it apart into words.
bool is_plain_line(std::string_view line);

Result<Imported> import_procfile(std::string_view text, const Surroundings& around);
Result<Imported> import_supervisord(std::string_view text, const Surroundings& around);
Result<Imported> import_pm2(std::string_view text, const Surroundings& around);
Result<Imported> import_compose(std::string_view text, const Surroundings& around);

}  // namespace usvc::foreign
