#include <algorithm>
#include <array>

#include "base/text.h"
#include "foreign/unsayable.h"

namespace usvc::foreign {

// A line a job. One that runs elsewhere goes there first.
Exported export_procfile(const std::vector<Saved>& set, const std::string& directory) {
  constexpr std::array<std::string_view, 0> sayable{};
  Exported out;
  std::string text;
  for (const auto& job : set) {
    const Conf& conf = job.conf;
    if (has_line_end(job)) {
      leave_out(conf, "there is a line end in what it runs, and a Procfile has one line for a job", out.remarks);
      continue;
    }
    tell_unsayable(conf, sayable, "a Procfile", out.remarks);
    tell_tokens(conf, out.remarks);
    if (!job.wanted) out.remarks.push_back({conf.name + ": it is stopped here; a Procfile starts it"});
    std::string name = conf.name;
    std::replace(name.begin(), name.end(), '.', '_');
    if (name != conf.name) out.remarks.push_back({conf.name + ": a Procfile takes no dots; it is called " + name});
    const bool elsewhere = !conf.cwd.empty() && conf.cwd != directory;
    text += name + ": " + (elsewhere ? "cd " + shell_quote(conf.cwd) + " && " : "") + shell_line(job) + "\n";
  }
  out.files.push_back({"", std::move(text)});
  return out;
}

}  // namespace usvc::foreign
