#include "cli/start_options.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>

#include "base/files.h"
#include "base/lookup.h"
#include "base/text.h"
#include "cli/caller.h"
#include "job/environment.h"
#include "job/names.h"
#include "job/options.h"

namespace usvc {

namespace {

constexpr std::size_t longest_env_file = std::size_t{4} << 20U;

std::string from_directory(const std::string& path, const std::string& cwd) {
  if (path.starts_with('/') || path.empty()) return path;
  return cwd + (cwd.ends_with('/') ? "" : "/") + path;
}

Status check_directory(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail(Error::last("--cwd " + shell_quote(path)));
  if (!S_ISDIR(info.st_mode)) return fail(Error::from_errno(ENOTDIR, "--cwd " + shell_quote(path)));
  return {};
}

Status take_option(const Option& option, std::string value, const std::string& cwd, StartRequest& request) {
  const std::string shown(option.flag);
  if (!option.flag_value.empty()) value = option.flag_value;
  if (option.type == OptionType::path) value = from_directory(value, cwd);
  if (auto status = check_value(option, value); !status) {
    return fail(std::move(status).error().context(shown).as(ErrorKind::usage));
  }
  if (option.key == "cwd") {
    if (auto status = check_directory(value); !status) return status;
  }
  if (option.key == "name") {
    request.name = value;
  } else if (option.key == "group") {
    request.group = value;
  } else {
    request.entries.push_back({std::string(option.key), value});
  }
  return {};
}

Result<std::int64_t> copies_of(const Arguments& arguments) {
  const auto text = arguments.value("--copies");
  if (!text) return 1;
  const auto number = parse_number(*text);
  if (number && *number >= 1) return *number;
  return fail("-n " + printable(*text) + ": must be a whole number, at least 1", ErrorKind::usage);
}

// As StartRequest has it.
Result<std::vector<std::string>> environment_of(const Arguments& arguments) {
  std::vector<std::string> own;
  // In the order given, so that a later one wins.
  for (const auto& [id, value] : arguments.options) {
    if (id == "--env") {
      if (auto status = check_assignment(value); !status) return pass(status, "-e");
      own.push_back(value);
    } else if (id == "--env-file") {
      auto text = read_file(value, longest_env_file);
      if (!text) return pass(text, "--env-file");
      auto assignments = parse_env_file(*text, value);
      if (!assignments) return pass(assignments, "--env-file");
      own.insert(own.end(), assignments->begin(), assignments->end());
    }
  }
  return environment_from(caller_environment(), own);
}

}  // namespace

namespace {

// What the flag itself does, where the row says both: "give it a terminal; --no-tty: pipes".
std::string_view flag_help(const Option& option) {
  const std::string own = std::string(option.flag) + ": ";
  const auto at = option.help.find(own);
  return at == std::string_view::npos ? option.help : option.help.substr(at + own.size());
}

// For a flag that stands for a value: the one for the other value, over what usvc.conf has. `--once` has `--restart`.
struct Opposite {
  std::string_view flag;
  std::string_view opposite;
  std::string_view help;
};
constexpr std::array<Opposite, 3> opposites{{
    {"--no-tty", "--tty", "give it a terminal of its own, whatever usvc.conf has"},
    {"--split", "--no-split", "keep its stderr with its other output, whatever usvc.conf has"},
    {"--no-runaway-protect", "--runaway-protect", "wait longer and longer, whatever usvc.conf has"},
}};

const Opposite* opposite_of(const Option& option) {
  const auto* found =
      std::find_if(opposites.begin(), opposites.end(), [&](const Opposite& row) { return row.flag == option.flag; });
  return found == opposites.end() ? nullptr : found;
}

}  // namespace

std::vector<Flag> job_flags() {
  std::vector<Flag> flags;
  for (const auto& option : option_table()) {
    if (option.flag.empty()) continue;
    const char letter = option.short_flag.size() == 2 ? option.short_flag[1] : '\0';
    const std::string_view value = option.choices.empty() ? option.value_name : option.choices;
    flags.push_back({option.flag, letter, option.flag_value.empty() ? value : "", flag_help(option)});
    if (const Opposite* row = opposite_of(option); row != nullptr) flags.push_back({row->opposite, 0, "", row->help});
  }
  return flags;
}

std::vector<Flag> environment_flags() {
  return {{"--env", 'e', "K=V", "set a variable in its environment"},
          {"--env-file", 0, "FILE", "set those of a file with a line K=V for each"}};
}

Result<StartRequest> start_request(const Arguments& arguments) {
  auto cwd = caller_directory();
  if (!cwd) return pass(cwd);
  StartRequest request;
  auto copies = copies_of(arguments);
  if (!copies) return pass(copies);
  request.copies = *copies;

  // What the caller's shell has goes first: a conf takes the last of two values.
  request.entries = caller_settings();
  request.entries.push_back({"cwd", *cwd});
  for (const auto& [id, value] : arguments.options) {
    for (const auto& option : option_table()) {
      if (id.empty()) continue;
      if (const Opposite* row = opposite_of(option); row != nullptr && row->opposite == id) {
        request.entries.push_back({std::string(option.key), option.flag_value == "true" ? "false" : "true"});
      }
      if (option.flag != id) continue;
      if (auto status = take_option(option, value, *cwd, request); !status) return pass(status);
    }
  }
  if (request.name && request.copies > 1) {
    return fail(Error("--name names one job, -n asks for several", ErrorKind::usage).hint("use -g GROUP"));
  }

  const char* path = std::getenv("PATH");
  const std::string& word = arguments.words.front();
  auto program = find_command(word, *cwd, path == nullptr ? default_path : path);
  if (!program && word.find_first_of(" \t") != std::string::npos && word.find('/') == std::string::npos) {
    const std::string shell = "sh -c " + shell_quote(printable(word));
    return fail(std::move(program).error().hint("that is one word: leave the quotes out; or for a shell: " + shell));
  }
  if (!program) return pass(program);
  request.entries.push_back({"cmd", *program});
  for (std::size_t i = 1; i < arguments.words.size(); ++i) request.entries.push_back({"arg", arguments.words[i]});
  auto environment = environment_of(arguments);
  if (!environment) return pass(environment);
  request.env = std::move(*environment);
  return request;
}

}  // namespace usvc
