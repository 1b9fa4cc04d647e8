#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>

#include "base/lookup.h"
#include "base/text.h"
#include "job/environment.h"
#include "job/names.h"
#include "job/options.h"
#include "manager/attainable.h"
#include "manager/git_config.h"
#include "manager/operations.h"
#include "manager/pile_up.h"
#include "manager/reserved_names.h"

namespace usvc {

namespace {

using Names = std::set<std::string, std::less<>>;

struct Planned {
  std::string group;
  std::vector<std::string> names;
  long long copies = 0;
  bool start = true;
  std::vector<std::string> env;  // K=V, besides and before what the caller has
  std::vector<ConfEntry> entries;
};

// A job to be made.
struct LoadedJob {
  Conf conf;
  std::shared_ptr<const std::vector<std::string>> env;  // the same for all of a section
  bool start = true;
  bool stood = false;  // all of its section were there: its cmd is as the file has it
};

Status add_entry(Planned& planned, const GitEntry& entry, const std::string& file, Names& named) {
  if (entry.key == "job") {
    if (auto good = check_job_name(entry.value); !good) return good;
    if (!named.insert(entry.value).second)
      return fail("job = " + entry.value + ": the set has a job of that name already");
    planned.names.push_back(entry.value);
    return {};
  }
  if (entry.key == "copies") {
    const auto copies = parse_number(entry.value);
    if (!copies || *copies < 1 || *copies > 10'000) return fail("copies = " + printable(entry.value) + " (1 to 10000)");
    planned.copies = *copies;
    return {};
  }
  if (entry.key == "start") {
    const auto start = entry.has_value ? parse_boolean(entry.value) : true;
    if (!start) return fail("start = " + printable(entry.value) + " (true or false)");
    planned.start = *start;
    return {};
  }
  if (entry.key == "env") {
    const auto equals = entry.value.find('=');
    if (equals == std::string::npos || equals == 0) return fail("env = " + printable(entry.value) + " (env = K=V)");
    planned.env.push_back(entry.value);
    return {};
  }
  ConfEntry line;
  line.key = entry.key;
  line.value = entry.value;
  line.has_value = entry.has_value;
  line.file = file;
  line.line = entry.line;
  planned.entries.push_back(std::move(line));
  return {};
}

Result<std::vector<Planned>> plan(const std::vector<GitEntry>& entries, const std::string& file) {
  std::vector<Planned> plans;
  std::map<std::string, std::size_t> sections;
  Names named;
  for (const auto& entry : entries) {
    const auto place = [&] { return file + ":" + std::to_string(entry.line); };
    if (entry.section != "group") {
      return fail(place() + ": section [" + printable(entry.section) +
                  "] does not belong in a set of jobs, only [group \"NAME\"] does");
    }
    const auto [known, added_section] = sections.try_emplace(entry.subsection, plans.size());
    if (added_section) {
      const std::string group = entry.subsection.substr(0, entry.subsection.find('#'));
      if (auto good = check_group_name(group); !good) return pass(good, place());
      plans.emplace_back();
      plans.back().group = group;
    }
    if (auto added = add_entry(plans[known->second], entry, file, named); !added) return pass(added, place());
  }
  return plans;
}

// A bare word is a program's name, looked for as `start` does it; paths are left as they are.
Status settle_program(Conf& conf, const LoadRequest& request, const std::vector<std::string>& env) {
  if (conf.cmd.find('/') != std::string::npos) return {};
  auto found = find_command(conf.cmd, request.cwd, search_path_of(env));
  if (!found) {
    const bool line = conf.cmd.find_first_of(" \t") != std::string::npos;
    Error error = std::move(found).error();
    return fail(line ? std::move(error).hint("cmd is the program alone; each of its arguments is an arg = …") : error);
  }
  conf.cmd = std::move(*found);
  return {};
}

bool is_member(std::string_view name, std::string_view group) {
  if (!name.starts_with(group)) return false;
  name.remove_prefix(group.size());
  return name.starts_with('-') && parse_integer<unsigned>(name.substr(1)).has_value();
}

// Names for the copies: those that this request had given to copies of this group before its answer was lost, which
// `made` has in their order, then the lowest free ones.
void take_copies(Planned& planned, std::vector<std::string>& made, Names& taken) {
  std::size_t open = static_cast<std::size_t>(planned.copies);
  std::erase_if(made, [&](const std::string& name) {
    if (open == 0 || !is_member(name, planned.group)) return false;
    planned.names.push_back(name);
    --open;
    return true;
  });
  for (int number = 1; open > 0; ++number) {
    std::string name = member_name(planned.group, number);
    if (!taken.insert(name).second) continue;
    planned.names.push_back(std::move(name));
    --open;
  }
}

// Limits that every job of the instance has need not be said.
std::vector<ConfEntry> defaults_of(const LoadRequest& request) {
  std::vector<std::string> inherited;
  for (const Limit& limit : inherited_limits()) inherited.push_back(format_limit(limit));
  std::vector<ConfEntry> entries;
  for (const auto& [key, value] : request.defaults.value_or(std::vector<EntryView>())) {
    if (key == "limit" && std::ranges::find(inherited, value) != inherited.end()) continue;
    ConfEntry& entry = entries.emplace_back();
    entry.key = key;
    entry.value = value;
  }
  return entries;
}

// The jobs of one section: named ones, or `copies` of the group's next free ones.
Result<std::vector<LoadedJob>> members_of(const Instance& instance, Planned planned, const LoadRequest& request,
                                          const std::vector<ConfEntry>& defaults, std::vector<std::string>& made,
                                          Names& taken) {
  if (std::ranges::none_of(planned.entries, [](const ConfEntry& entry) { return entry.key == "cmd"; })) {
    return fail(Error("[group \"" + planned.group + "\"] has no cmd").hint("cmd = CMD says what to run"));
  }
  // Of two values of a key the later counts.
  planned.entries.insert(planned.entries.begin(), defaults.begin(), defaults.end());
  auto conf = conf_from_entries(planned.entries);
  if (!conf) return pass(conf);
  conf->group = planned.group;
  if (conf->cwd.empty()) conf->cwd = request.cwd;
  if (auto place = check_attainable(*conf, "log", conf->log); !place) {
    return pass(place, "[group \"" + planned.group + "\"]");
  }
  if (planned.names.empty() && planned.copies == 0) planned.copies = 1;
  take_copies(planned, made, taken);
  if (auto own = check_log_is_own(instance, conf->log, planned.names); !own) {
    return pass(own, "[group \"" + planned.group + "\"]");
  }
  const auto env = std::make_shared<const std::vector<std::string>>(environment_from(request.env, planned.env));
  const bool stood = std::all_of(planned.names.begin(), planned.names.end(),
                                 [&](const std::string& name) { return instance.find(name) != nullptr; });
  if (!stood) {
    if (auto found = settle_program(*conf, request, *env); !found) {
      return pass(found, "[group \"" + planned.group + "\"]");
    }
  }
  std::vector<LoadedJob> members;
  for (const auto& name : planned.names) {
    members.push_back({*conf, env, planned.start, stood});
    members.back().conf.name = name;
    taken.insert(name);
  }
  return members;
}

Outcome left(const std::string& name, std::string why) {
  Outcome outcome;
  outcome.name = name;
  outcome.message = std::move(why);
  outcome.skipped = true;
  return outcome;
}

// Makes what is not there yet. Nothing: it has been told to start, and how it goes is to be seen.
// `reserved`: another request is making a job of that name.
std::optional<Outcome> make(Instance& instance, const LoadRequest& request, const LoadedJob& member, bool reserved) {
  const std::string& name = member.conf.name;
  if ((instance.find(name) || reserved) && !acted_on(instance, request.key, name)) {
    return left(name, "it existed already");
  }
  if (!instance.find(name)) {
    if (member.stood || instance.shutting_down) return creation_failed(name, not_made(instance));
    const Wanted wanted = member.start ? Wanted::yes : Wanted::no;
    if (auto created = create_job(instance, member.conf, *member.env, request.key, {}, wanted); !created) {
      return creation_failed(name, created.error());
    }
    // The machine that the file was saved on may have given more.
    for (const auto& reason : unattainable(member.conf)) instance.record_error(name, reason);
  }
  if (!member.start) return left(name, "it is there now, stopped, as the file has it");
  return std::nullopt;
}

}  // namespace

// Jobs that exist already are left as they are and said so: loading the same file twice is harmless.
asio::awaitable<Outcomes> load_jobs(Instance* instance, LoadRequest request) {
  if (instance->shutting_down) co_return fail(being_shut_down);
  const std::string file = request.file.value_or("the file");
  auto entries = parse_git_config(request.text, file);
  if (!entries) co_return pass(entries);
  auto plans = plan(*entries, file);
  if (!plans) co_return pass(plans);
  Names taken;
  for (const auto& [name, job] : instance->jobs()) taken.insert(name);
  taken.insert(instance->reserved_names.begin(), instance->reserved_names.end());
  // Those that the file names are no copies.
  auto made = made_before(*instance, request.key);
  for (const auto& planned : *plans) {
    for (const auto& name : planned.names) {
      std::erase(made, name);
      taken.insert(name);
    }
  }
  const std::vector<ConfEntry> defaults = defaults_of(request);
  std::vector<LoadedJob> members;
  for (auto& planned : *plans) {
    auto some = members_of(*instance, std::move(planned), request, defaults, made, taken);
    if (!some) co_return pass(some);
    std::move(some->begin(), some->end(), std::back_inserter(members));
  }
  Names others = instance->reserved_names;
  std::vector<std::string> names;
  for (const auto& member : members) {
    if (!others.contains(member.conf.name)) names.push_back(member.conf.name);
  }
  std::optional<ReservedNames> reserved(std::in_place, instance, std::move(names));
  OutcomesReply reply;
  std::vector<Begun> begun;
  for (const auto& member : members) {
    if (auto outcome = make(*instance, request, member, others.contains(member.conf.name))) {
      reply.results.push_back(std::move(*outcome));
      continue;
    }
    begun.push_back({instance->find(member.conf.name), 0});
    co_await let_others_in(&instance->io());
  }
  reserved.reset();
  auto outcomes = co_await settle(instance, std::move(begun));
  for (auto& outcome : outcomes) reply.results.push_back(std::move(outcome));
  co_return reply;
}

}  // namespace usvc
