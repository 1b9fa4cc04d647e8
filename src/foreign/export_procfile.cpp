#include <algorithm>
#include <array>
#include <set>

#include "base/text.h"
#include "foreign/unsayable.h"

namespace usvc::foreign {

namespace {

// The names that can stay as they are.
std::set<std::string> names_without_dots(const std::vector<Saved>& set) {
  std::set<std::string> names;
  for (const auto& job : set) {
    if (job.conf.name.find('.') == std::string::npos) names.insert(job.conf.name);
  }
  return names;
}

// Without dots, and unlike those in `taken`, where it is put.
std::string undotted(const Conf& conf, std::set<std::string>& taken, std::vector<Remark>& remarks) {
  if (conf.name.find('.') == std::string::npos) return conf.name;
  std::string plain = conf.name;
  std::replace(plain.begin(), plain.end(), '.', '_');
  std::string name = plain;
  for (int n = 2; !taken.insert(name).second; ++n) name = plain + "_" + std::to_string(n);
  remarks.push_back({conf.name + ": a Procfile takes no dots; it is called " + name +
                     (name == plain ? "" : ", as there is another " + plain)});
  return name;
}

}  // namespace

// A line a job. One that runs elsewhere goes there first.
Exported export_procfile(const std::vector<Saved>& set, const std::string& directory) {
  constexpr std::array<std::string_view, 0> sayable{};
  Exported out;
  std::string text;
  auto taken = names_without_dots(set);
  for (Saved job : set) {
    const Conf& conf = job.conf;
    drop_odd_variables(job, out.remarks);
    if (has_line_end(job)) {
      leave_out(conf, "there is a line end in what it runs, and a Procfile has one line for a job", out.remarks);
      continue;
    }
    tell_unsayable(conf, sayable, "a Procfile", out.remarks);
    tell_tokens(conf, out.remarks);
    if (!job.wanted) out.remarks.push_back({conf.name + ": it is stopped here; a Procfile starts it"});
    const std::string name = undotted(conf, taken, out.remarks);
    const bool elsewhere = !conf.cwd.empty() && conf.cwd != directory;
    text += name + ": " + (elsewhere ? "cd " + shell_quote(conf.cwd) + " && " : "") + shell_line(job) + "\n";
  }
  out.files.push_back({"", std::move(text)});
  return out;
}

}  // namespace usvc::foreign
