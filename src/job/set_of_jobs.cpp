#include "job/set_of_jobs.h"

#include <map>

namespace usvc {

std::string set_text(const std::vector<SetSection>& sections) {
  std::map<std::string, int> of_group;
  std::string text;
  for (const auto& section : sections) {
    const int number = ++of_group[section.group];
    // Names need no escaping.
    text += "[group \"" + section.group + (number == 1 ? "" : "#" + std::to_string(number)) + "\"]\n";
    for (const auto& name : section.jobs) text += "\tjob = " + name + "\n";
    if (!section.start) text += "\tstart = false\n";
    for (const auto& entry : section.entries) text += "\t" + entry.key + " = " + conf_quote(entry.value) + "\n";
    for (const auto& assignment : section.env) text += "\tenv = " + conf_quote(assignment) + "\n";
    text += "\n";
  }
  return text;
}

}  // namespace usvc
