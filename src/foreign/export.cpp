#include "foreign/export.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "foreign/draft.h"
#include "foreign/unsayable.h"
#include "job/options.h"
#include "job/substitute.h"

namespace usvc::foreign {

namespace {

// Anything but what it says is put in for a token.
const Facts other_facts{.exit_status = 0, .job_name = "", .hostname = "", .run_length = {}, .deaths = 0};

}  // namespace

std::optional<Target> target_named(std::string_view name) {
  const auto index = choice_index(target_names, name);
  return index ? std::optional(static_cast<Target>(*index)) : std::nullopt;
}

void tell_unsayable(const Conf& conf, std::span<const std::string_view> sayable, std::string_view format,
                    std::vector<Remark>& remarks) {
  constexpr std::string_view always[] = {"cmd", "arg", "name", "group", "cwd", "settle", "tree"};
  for (const auto& entry : conf_to_entries(conf)) {
    const auto in = [&](auto keys) { return std::find(keys.begin(), keys.end(), entry.key) != keys.end(); };
    if (in(std::span(always)) || in(sayable)) continue;
    remarks.push_back({conf.name + ": " + entry.key + " = " + printable(entry.value) + ": " + std::string(format) +
                       " has no word for it"});
  }
}

void leave_out(const Conf& conf, std::string_view why, std::vector<Remark>& remarks) {
  remarks.push_back({conf.name + ": left out: " + std::string(why), true});
}

void tell_tokens(const Conf& conf, std::vector<Remark>& remarks) {
  for (const auto& arg : conf.args) {
    if (substitute_argument(arg, other_facts) == arg) continue;
    remarks.push_back({conf.name + ": " + arg + ": only usvc replaces it; it is written as it is"});
  }
}

void tell_hook_tokens(const Conf& conf, std::vector<Remark>& remarks) {
  const auto tell = [&](std::string_view key, const std::string& hook) {
    if (substitute_hook(hook, other_facts) == hook) return;
    remarks.push_back({conf.name + ": " + std::string(key) + " = " + printable(hook) +
                       ": only usvc replaces the ~TOKEN in it; it is written as it is"});
  };
  tell("pre-cmd", conf.pre_cmd);
  tell("post-cmd", conf.post_cmd);
}

bool is_all_utf8(const Saved& job) {
  return is_utf8(job.conf.cmd) && is_utf8(job.conf.cwd) &&
         std::all_of(job.conf.args.begin(), job.conf.args.end(), is_utf8) &&
         std::all_of(job.env.begin(), job.env.end(), is_utf8);
}

void drop_odd_variables(Saved& job, std::vector<Remark>& remarks) {
  std::erase_if(job.env, [&](const std::string& assignment) {
    if (is_shell_assignment(assignment)) return false;
    const auto name = printable(assignment.substr(0, assignment.find('=')));
    remarks.push_back({job.conf.name + ": env " + name + ": no shell takes such a name; it is not written"});
    return true;
  });
}

std::string shell_line(const Saved& job) {
  std::string line;
  for (const auto& assignment : job.env) {
    const auto equals = assignment.find('=');
    line += assignment.substr(0, equals + 1) + shell_quote(assignment.substr(equals + 1)) + " ";
  }
  line += shell_quote(job.conf.cmd);
  for (const auto& arg : job.conf.args) line += " " + shell_quote(arg);
  return line;
}

bool has_line_end(const Saved& job) {
  const auto has = [](const std::string& text) { return text.find_first_of("\n\r") != std::string::npos; };
  return has(job.conf.cmd) || has(job.conf.cwd) || std::any_of(job.conf.args.begin(), job.conf.args.end(), has) ||
         std::any_of(job.env.begin(), job.env.end(), has);
}

Exported export_set(Target target, const std::vector<Saved>& set, const std::string& directory) {
  switch (target) {
    case Target::procfile:
      return export_procfile(set, directory);
    case Target::systemd:
      return export_systemd(set);
    case Target::compose:
      return export_compose(set);
  }
  return {};
}

std::string one_text(const std::vector<File>& files) {
  std::string text;
  for (const auto& file : files) {
    if (!file.name.empty()) text += (text.empty() ? "# " : "\n# ") + file.name + "\n";
    text += file.text;
  }
  return text;
}

}  // namespace usvc::foreign
