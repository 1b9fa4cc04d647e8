#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "job/options.h"

namespace usvc::command {

namespace {

std::string without_section(const std::string& key) {
  return key.starts_with("core.") ? key.substr(5) : key;
}

Result<int> show_paths(const Invocation& invocation) {
  auto jobs = look_at(invocation.context, invocation.arguments.words);
  if (!jobs) return pass(jobs);
  std::vector<std::string> paths;
  for (const auto& job : *jobs) paths.push_back(job.conf);
  std::string text;
  for (const auto& path : paths) text += path + "\n";
  if (auto status = invocation.context.json ? print_json(paths) : print(text); !status) return pass(status);
  return 0;
}

std::vector<std::string> values_of(const ConfView& view, const Option& option) {
  std::vector<std::string> values;
  for (const auto& entry : view.entries) {
    if (entry.key != option.key) continue;
    if (!option.repeatable) values.clear();
    values.push_back(entry.value);
  }
  return values;
}

// What counts for a key without a value: what follows from the job or from another key, else the default.
std::string in_force(const Invocation& invocation, const ConfView& view, const Option& option) {
  if (option.key == "keepalive") {
    const auto restart = values_of(view, *find_option("restart"));
    if (!restart.empty() && restart.back() == "never") return "false";
  } else if (option.key == "restart") {
    const auto keepalive = values_of(view, *find_option("keepalive"));
    if (!keepalive.empty() && parse_boolean(keepalive.back()) == false) return "never";
  }
  if (!option.default_text.empty()) return std::string(option.default_text);
  const auto jobs = look_at(invocation.context, {view.name});
  if (!jobs || jobs->size() != 1) return {};
  const JobView& job = jobs->front();
  if (option.key == "name") return job.name;
  if (option.key == "group") return job.group;
  if (option.key == "cwd") return job.cwd;
  if (option.key == "log") return job.log;
  return {};
}

// Every value the key has, else what is in force; exit status 1 when there is neither, as git config has it.
Result<int> show_value(const Invocation& invocation, const std::string& name, const Option& option) {
  auto view = Remote(invocation.context, NoInstance::offline).conf(name);
  if (!view) return pass(view);
  std::vector<std::string> values = values_of(*view, option);
  if (values.empty()) {
    std::string value = in_force(invocation, *view, option);
    if (value.empty()) {
      return fail(Error(std::string(option.key) + " is not set in " + view->path).hint(std::string(option.help)));
    }
    values.push_back(std::move(value));
  }
  std::string text;
  for (const auto& value : values) text += value + "\n";
  if (auto status = invocation.context.json ? print_json(values) : print(text); !status) return pass(status);
  return 0;
}

Result<int> set_value(const Invocation& invocation, const std::string& name, const Option& option, std::string value) {
  if (option.type == OptionType::path && !value.empty() && !value.starts_with('/')) {
    auto cwd = caller_directory();
    if (!cwd) return pass(cwd);
    value = *cwd + "/" + value;
  }
  // "" removes a key that can't have that as its value; the manager does it.
  if (auto status = check_value(option, value); !status && !value.empty()) {
    return fail(std::move(status).error().context(std::string(option.key)).as(ErrorKind::usage));
  }
  auto view = Remote(invocation.context, NoInstance::offline).set_conf(name, std::string(option.key), value);
  if (!view) return pass(view);
  if (invocation.context.json) {
    if (auto status = print_json(*view); !status) return pass(status);
  }
  return 0;
}

std::unexpected<Error> one_value_too_many(const Option& option, const std::string& job) {
  const std::string key(option.key);
  return fail(Error(key + " takes one value", ErrorKind::usage)
                  .hint(option.repeatable ? "several of " + key + " are lines of the file that usvc conf " +
                                                shell_quote(job) + " names"
                                          : "quote a value with blanks in it"));
}

}  // namespace

Result<int> conf(const Invocation& invocation) {
  if (auto status = need_selectors(invocation, "conf"); !status) return pass(status);
  const auto& words = invocation.arguments.words;
  if (words.size() == 1) return show_paths(invocation);
  const std::string key = without_section(words[1]);
  const Option* option = find_option(key);
  if (option != nullptr && words.size() == 2) return show_value(invocation, words[0], *option);
  if (option != nullptr && words.size() == 3) return set_value(invocation, words[0], *option, words[2]);
  auto shown = show_paths(invocation);
  if (shown || shown.error().kind() != ErrorKind::no_match) return shown;
  if (option != nullptr) return one_value_too_many(*option, words[0]);
  // The second word was perhaps meant to be a key.
  const std::string near = nearest_option(key);
  const bool of_a_job = words.size() == 2 && look_at(invocation.context, {words[0]});
  if (near.empty() && words.size() != 3 && !of_a_job) return shown;
  return fail(Error("'" + printable(words[1]) + "' is neither a job nor a key of a conf", ErrorKind::usage)
                  .hint(near.empty() ? "man usvc-job.conf lists the keys" : "did you mean " + near + "?"));
}

}  // namespace usvc::command
