#include <algorithm>

#include "base/text.h"
#include "manager/operations.h"

namespace usvc {

namespace {

// A conf without what makes it this one job's: members of a group that agree in the rest share a section.
std::vector<ConfEntry> shared_entries(const Job& job) {
  auto entries = conf_to_entries(*job.conf);
  std::erase_if(entries, [](const ConfEntry& entry) { return entry.key == "name" || entry.key == "group"; });
  return entries;
}

std::string section(const std::string& group, const std::vector<std::string>& names,
                    const std::vector<ConfEntry>& entries) {
  std::string text = "[group \"" + group + "\"]\n";  // names need no escaping
  for (const auto& name : names) text += "\tjob = " + name + "\n";
  for (const auto& entry : entries) text += "\t" + entry.key + " = " + conf_quote(entry.value) + "\n";
  return text + "\n";
}

struct Set {
  std::string group;
  std::vector<std::string> names;
  std::vector<ConfEntry> entries;
};

}  // namespace

// Each section is one group, or a part of one: the names of its jobs and what they have in common. Sections of one
// group that differ are told apart by a '#N' after the group's name, which no name can hold.
Result<SaveReply> save_jobs(Instance& instance, const std::vector<std::string>& selectors) {
  auto jobs = instance.select(selectors.empty() ? std::vector<std::string>{"all"} : selectors);
  if (!jobs && selectors.empty()) return SaveReply{};
  if (!jobs) return pass(jobs);
  std::vector<Set> sets;
  for (const auto& job : *jobs) {
    if (!job->conf) return fail("cannot save " + job->name + ": " + job->conf_error);
    auto entries = shared_entries(*job);
    const auto same = std::find_if(sets.begin(), sets.end(), [&](const Set& set) {
      return set.group == job->conf->group && set.entries == entries;
    });
    if (same != sets.end())
      same->names.push_back(job->name);
    else
      sets.push_back({job->conf->group, {job->name}, std::move(entries)});
  }
  SaveReply reply;
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const auto earlier = std::count_if(sets.begin(), sets.begin() + static_cast<std::ptrdiff_t>(i),
                                       [&](const Set& set) { return set.group == sets[i].group; });
    const std::string suffix = earlier == 0 ? "" : "#" + std::to_string(earlier + 1);
    reply.text += section(sets[i].group + suffix, sets[i].names, sets[i].entries);
  }
  return reply;
}

}  // namespace usvc
