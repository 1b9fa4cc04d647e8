#include <algorithm>
#include <map>

#include "job/set_of_jobs.h"
#include "manager/attainable.h"
#include "manager/conf_store.h"
#include "manager/operations.h"

namespace usvc {

namespace {

// A conf without what makes it this one job's: members of a group that agree in the rest share a section.
Result<SetSection> section_of(Instance& instance, const Job& job, const std::vector<Limit>& inherited) {
  Conf conf = *job.conf;
  std::erase_if(conf.limits, [&](const Limit& limit) {
    return std::find(inherited.begin(), inherited.end(), limit) != inherited.end();
  });
  auto entries = conf_to_entries(conf);
  std::erase_if(entries, [](const ConfEntry& entry) { return entry.key == "name" || entry.key == "group"; });
  auto env = load_own_environment(instance.layout(), job.name);
  if (!env) return pass(env, "cannot save " + job.name);
  return SetSection{conf.group, {job.name}, instance.record_of(job).wanted, std::move(entries), std::move(*env)};
}

}  // namespace

Result<SaveReply> save_jobs(Instance& instance, const std::vector<std::string>& selectors) {
  auto jobs = instance.select(selectors.empty() ? std::vector<std::string>{"all"} : selectors);
  if (!jobs && selectors.empty()) return SaveReply{};
  if (!jobs) return pass(jobs);
  // Offline they would be those of whoever saves.
  const auto inherited = instance.online() ? inherited_limits() : std::vector<Limit>();
  std::vector<SetSection> sections;
  std::map<std::string, std::vector<std::size_t>> of_group;
  for (const auto& job : *jobs) {
    if (!job->conf) return fail("cannot save " + job->name + ": " + job->conf_error);
    auto section = section_of(instance, *job, inherited);
    if (!section) return pass(section);
    auto& others = of_group[section->group];
    const auto same =
        std::find_if(others.begin(), others.end(), [&](std::size_t other) { return sections[other].alike(*section); });
    if (same != others.end()) {
      sections[*same].jobs.push_back(job->name);
    } else {
      others.push_back(sections.size());
      sections.push_back(std::move(*section));
    }
  }
  return SaveReply{set_text(sections)};
}

}  // namespace usvc
