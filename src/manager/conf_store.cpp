#include "manager/conf_store.h"

#include <algorithm>
#include <cerrno>

#include "base/files.h"
#include "base/lookup.h"
#include "base/text.h"
#include "job/environment.h"
#include "job/names.h"
#include "job/options.h"
#include "manager/attainable.h"
#include "manager/git_config.h"

namespace usvc {

namespace {

constexpr std::size_t most_environment = std::size_t{8} << 20U;

std::vector<ConfEntry> entries_of(std::vector<GitEntry>& found, const std::string& path) {
  std::vector<ConfEntry> entries;
  for (auto& entry : found) {
    if (entry.section != "core" || !entry.subsection.empty()) continue;
    ConfEntry line;
    line.key = std::move(entry.key);
    line.value = std::move(entry.value);
    line.file = path;
    line.line = entry.line;
    line.has_value = entry.has_value;
    entries.push_back(std::move(line));
  }
  return entries;
}

Result<Conf> complete(const std::vector<ConfEntry>& entries, const Layout& layout, const std::string& name) {
  const std::string path = layout.conf_path(name);
  const bool has_cmd =
      std::any_of(entries.begin(), entries.end(), [](const auto& entry) { return entry.key == "cmd"; });
  if (!has_cmd) return fail(Error(path + ": core.cmd is missing").hint("cmd = CMD says what to run"));
  auto conf = conf_from_entries(entries);
  if (!conf) return conf;
  fill_in(*conf, layout, name);
  if (conf->name != name) {
    return fail(path + ": core.name is '" + printable(conf->name) + "' (it must be the file's name, '" + name + "')");
  }
  if (auto good = check_group_name(conf->group); !good) return pass(good, path + ": core.group");
  return conf;
}

Result<std::string> read_environment(const Layout& layout, const std::string& name) {
  auto text = read_file(layout.env_path(name), most_environment);
  if (!text && text.error().code() == ENOENT) return std::string();
  return text;
}

}  // namespace

std::string group_of_name(const std::string& name) {
  const auto dash = name.rfind('-');
  if (dash == std::string::npos || dash == 0 || !parse_number(name.substr(dash + 1))) return name;
  return name.substr(0, dash);
}

void fill_in(Conf& conf, const Layout& layout, const std::string& name) {
  if (conf.name.empty()) conf.name = name;
  if (conf.group.empty()) conf.group = group_of_name(name);
  if (conf.cwd.empty()) conf.cwd = "/";
  if (conf.log.empty()) conf.log = layout.log_path(name);
}

Result<std::vector<ConfEntry>> load_conf_entries(const Layout& layout, const std::string& name) {
  const std::string path = layout.conf_path(name);
  auto found = read_git_config(path);
  if (!found) return pass(found);
  return entries_of(*found, path);
}

Result<LoadedConf> load_conf(const Layout& layout, const std::string& name) {
  const std::string path = layout.conf_path(name);
  auto found = read_git_config(path);
  if (!found) return pass(found);
  const bool in_one_file = std::none_of(found->begin(), found->end(), [](const GitEntry& entry) {
    return entry.section == "include" || entry.section == "includeif";
  });
  // Each entry's place is only told where something is wrong.
  auto conf = complete(entries_of(*found, ""), layout, name);
  if (!conf) {
    auto entries = load_conf_entries(layout, name);
    if (!entries) return pass(entries);
    conf = complete(*entries, layout, name);
  }
  if (!conf) return pass(conf);
  return LoadedConf{std::move(*conf), in_one_file};
}

FoundConf find_conf(const Layout& layout, const std::string& name) {
  const FileStamp stamp = stamp_of(layout.conf_path(name));
  return {stamp, !may_change_unseen(stamp), load_conf(layout, name)};
}

ConfsAhead::ConfsAhead(const Layout& layout) : layout_(&layout) {
  const auto files = list_dir(layout.jobs_dir);
  if (!files) return;
  for (const auto& file : *files) {
    auto name = job_of_conf(file);
    if (name && check_job_name(*name)) names_.push_back(std::move(*name));
  }
  found_.resize(names_.size());
  constexpr std::size_t few = 16;
  // Without a thread it begins when it is taken.
  reader_ = std::async(names_.size() > few ? std::launch::async | std::launch::deferred : std::launch::deferred,
                       [this] { read(); });
}

FoundConfs ConfsAhead::take() {
  read();
  if (reader_.valid()) reader_.get();
  FoundConfs confs;
  for (std::size_t i = 0; i < names_.size(); ++i) confs.emplace(std::move(names_[i]), std::move(*found_[i]));
  return confs;
}

void ConfsAhead::read() {
  for (std::size_t i = next_++; i < names_.size(); i = next_++) found_[i] = find_conf(*layout_, names_[i]);
}

std::optional<std::string> job_of_conf(std::string_view file) {
  constexpr std::string_view end = ".conf";
  if (!file.ends_with(end) || file.starts_with('.')) return std::nullopt;
  return std::string(file.substr(0, file.size() - end.size()));
}

Result<std::string> find_program(const Conf& conf, const std::vector<std::string>& env) {
  return find_command(conf.cmd, conf.cwd, search_path_of(env));
}

Status save_conf(const Layout& layout, const Conf& conf) {
  Conf plain = conf;
  if (plain.log == layout.log_path(conf.name)) plain.log.clear();
  return write_file_atomically(layout.conf_path(conf.name), conf_text(conf_to_entries(plain)), Flush::no);
}

Status set_conf(const Layout& layout, const std::string& name, const std::string& key, const std::string& value) {
  auto entries = load_conf_entries(layout, name);
  if (!entries) return pass(entries);
  ConfEntry changed;
  changed.key = key;
  changed.value = value;
  std::vector<ConfEntry> then;
  for (const auto& entry : *entries) {
    if (entry.key != key) then.push_back(entry);
  }
  const Option* option = find_option(key);
  const bool removes = value.empty() && option != nullptr && !check_value(*option, value);
  const bool included = std::any_of(entries->begin(), entries->end(),
                                    [&](const auto& entry) { return entry.key == key && entry.line == 0; });
  if (removes && included) {
    return fail(Error("core." + key + " is set in a file that " + layout.conf_path(name) + " includes")
                    .hint("remove it there"));
  }
  if (!removes) then.push_back(changed);
  auto conf = complete(then, layout, name);
  if (!conf) return pass(conf);
  const std::string path = layout.conf_path(name);
  if (removes) return unset_git_config(path, "core." + key);
  if (auto had = check_attainable(*conf, key, value); !had) return had;
  return set_git_config(path, "core." + key, value);
}

Result<std::vector<std::string>> load_environment(const Layout& layout, const std::string& name) {
  auto text = read_environment(layout, name);
  if (!text) return pass(text);
  return variables_in(*text);
}

Result<std::vector<std::string>> load_own_environment(const Layout& layout, const std::string& name) {
  auto text = read_environment(layout, name);
  if (!text) return pass(text);
  return own_variables_in(*text);
}

Status save_environment(const Layout& layout, const std::string& name, const std::vector<std::string>& env) {
  return write_file_atomically(layout.env_path(name), environment_text(env), Flush::no);
}

}  // namespace usvc
