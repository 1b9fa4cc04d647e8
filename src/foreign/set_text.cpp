#include <map>

#include "foreign/foreign.h"

namespace usvc::foreign {

// A section for each job: sections of one group are told apart by a '#N', as `usvc save` does it.
std::string set_text(const std::vector<Job>& jobs) {
  std::map<std::string, int> sections;
  std::string text;
  for (const auto& job : jobs) {
    const int number = ++sections[job.group];
    text += "[group \"" + job.group + (number == 1 ? "" : "#" + std::to_string(number)) + "\"]\n";
    text += "\tjob = " + job.name + "\n";
    if (!job.start) text += "\tstart = false\n";
    for (const auto& entry : job.entries) text += "\t" + entry.key + " = " + conf_quote(entry.value) + "\n";
    for (const auto& assignment : job.env) text += "\tenv = " + conf_quote(assignment) + "\n";
    text += "\n";
  }
  return text;
}

}  // namespace usvc::foreign
