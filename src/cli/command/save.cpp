#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/text.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "cli/set_view.h"
#include "foreign/export.h"
#include "job/conf.h"

namespace usvc::command {

namespace {

constexpr std::size_t longest_environment = std::size_t{16} << 20U;

Status write_to(const std::string& path, const std::string& text) {
  if (path == "-") return print(text);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return write_file_atomically(path, text);
  // A pipe or device keeps being one.
  auto file = open_file(path, O_WRONLY);
  if (!file) return pass(file);
  return write_all(*file, text);
}

// With --json the document is what stands on stdout.
Status put(const Context& context, const std::string& path, const std::string& text, SetView view) {
  const bool shown = path == "-";
  if (!shown || !context.json) {
    if (auto status = write_to(path, text); !status) return status;
  }
  if (!context.json) return {};
  if (shown) {
    view.text = text;
  } else {
    view.file = path;
  }
  return print_json(view);
}

// Nobody means another program's job to have these: they are of the shell it was started from.
bool is_of_a_session(std::string_view assignment) {
  constexpr std::array<std::string_view, 13> names = {
      "PWD=",      "OLDPWD=", "SHLVL=",     "_=",           "TERM=", "COLUMNS=", "LINES=",
      "WINDOWID=", "TMUX=",   "TMUX_PANE=", "XDG_SESSION_", "SSH_",  "USVC_"};
  return std::any_of(names.begin(), names.end(), [&](auto name) { return assignment.starts_with(name); });
}

// What the job has that whoever saves does not have.
std::vector<std::string> own_environment(const Context& context, const std::string& job) {
  std::vector<std::string> own;
  auto text = read_file(context.layout.env_path(job), longest_environment);
  if (!text) return own;
  const auto ours = caller_environment();
  for (const auto assignment : split(*text, '\0')) {
    const bool same = std::find(ours.begin(), ours.end(), assignment) != ours.end();
    if (!assignment.empty() && !same && !is_of_a_session(assignment)) own.emplace_back(assignment);
  }
  return own;
}

// What every job of this user's has from the shell says nothing about this one.
bool is_as_ours(const EntryView& entry, const std::vector<EntryView>& ours) {
  return std::any_of(ours.begin(), ours.end(),
                     [&](const EntryView& other) { return other.key == entry.key && other.value == entry.value; });
}

Result<foreign::Saved> saved_of(const Context& context, const JobView& job) {
  auto view = Remote(context, NoInstance::offline).conf(job.name);
  if (!view) return pass(view);
  const auto ours = caller_settings();
  std::vector<ConfEntry> entries;
  for (const auto& entry : view->entries) {
    if (is_as_ours(entry, ours)) continue;
    ConfEntry line;
    line.key = entry.key;
    line.value = entry.value;
    entries.push_back(std::move(line));
  }
  auto conf = conf_from_entries(entries);
  if (!conf) return pass(conf, "cannot save " + job.name);
  foreign::Saved saved{std::move(*conf), own_environment(context, job.name), job.wanted};
  saved.conf.name = job.name;
  saved.conf.group = job.group;
  if (saved.conf.log == context.layout.log_path(job.name)) saved.conf.log.clear();
  return saved;
}

// A unit is a file, so several are several.
Status write_units(const std::string& directory, const std::vector<foreign::File>& files) {
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return fail(Error::last(directory));
  for (const auto& file : files) {
    if (auto status = write_file_atomically(directory + "/" + file.name, file.text); !status) return status;
  }
  return {};
}

Result<int> save_as(const Invocation& invocation, const std::string& name, const std::string& path,
                    const std::vector<std::string>& selectors) {
  const auto target = foreign::target_named(name);
  if (!target) {
    return fail(Error("--as " + printable(name) + ": there is no such format", ErrorKind::usage)
                    .hint(std::string(foreign::target_names)));
  }
  auto cwd = caller_directory();
  if (!cwd) return pass(cwd);
  auto jobs = Remote(invocation.context, NoInstance::offline).jobs(selectors);
  if (!jobs) return pass(jobs);
  std::vector<foreign::Saved> set;
  for (const auto& job : jobs->jobs) {
    auto saved = saved_of(invocation.context, job);
    if (!saved) return pass(saved);
    set.push_back(std::move(*saved));
  }
  const bool out = path == "-";
  const std::string directory = out ? *cwd : directory_of(path.starts_with('/') ? path : *cwd + "/" + path);
  const auto exported = foreign::export_set(*target, set, directory);
  bool left_out = false;
  SetView view;
  for (const auto& remark : exported.remarks) {
    complain(remark.text);
    view.remarks.push_back(remark.text);
    left_out = left_out || remark.left_out;
  }
  Status status;
  if (*target == foreign::Target::systemd && !out) {
    view.file = path;
    status = write_units(path, exported.files);
    if (status && invocation.context.json) status = print_json(view);
  } else {
    status = put(invocation.context, path, foreign::one_text(exported.files), std::move(view));
  }
  if (!status) return pass(status, "cannot save");
  return left_out ? 1 : 0;
}

}  // namespace

std::vector<Flag> save_flags() {
  return {{"--as", 0, foreign::target_names, "write it for another program"}};
}

Result<int> save(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments.words;
  if (words.empty()) return fail(Error("save needs a FILE", ErrorKind::usage).hint("- for standard output"));
  const std::string path = words.front();
  words.erase(words.begin());
  if (const auto name = invocation.arguments.value("--as")) return save_as(invocation, *name, path, words);
  auto reply = Remote(invocation.context, NoInstance::offline).save(words);
  if (!reply) return pass(reply);
  if (auto status = put(invocation.context, path, reply->text, {}); !status) return pass(status, "cannot save");
  return 0;
}

}  // namespace usvc::command
