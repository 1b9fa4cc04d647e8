#include "faults/ledger.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>

#include "cli/census.h"
#include "cli/cli_test.h"

namespace usvc::test {

namespace {

struct Line {
  pid_t pid = 0;
  std::int64_t number = 0;
};

std::optional<Line> parse_line(const std::string& text) {
  std::istringstream stream(text);
  std::string word;
  Line line;
  std::string rest;
  if (!(stream >> word >> line.pid >> line.number) || word != "line" || stream >> rest) return {};
  return line;
}

}  // namespace

std::vector<Begin> Ledger::noted(const std::string& job, const std::string& what) const {
  std::vector<Begin> found;
  for (const auto& text : lines_of(content(directory_ + "/" + job + ".ledger"))) {
    std::istringstream stream(text);
    std::string word;
    Begin begin;
    if (stream >> word >> begin.pid >> begin.run && word == what) found.push_back(begin);
  }
  return found;
}

std::vector<Begin> Ledger::begins(const std::string& job) const {
  return noted(job, "begin");
}

std::vector<Begin> Ledger::refused(const std::string& job) const {
  return noted(job, "refused");
}

std::int64_t Ledger::written(const std::string& job, pid_t pid) const {
  return std::atoll(content(directory_ + "/" + job + "." + std::to_string(pid)).c_str());
}

Complaints Ledger::check_log(const std::string& job, const std::string& log, bool cut) const {
  Complaints complaints;
  std::map<pid_t, std::int64_t> last;
  pid_t current = 0;
  for (auto text : lines_of(log)) {
    // The torn last line of a run that was cut off has the next run's first behind it.
    if (const auto again = text.rfind("line "); cut && again != std::string::npos) text.erase(0, again);
    const bool of_other_modes =
        text.starts_with("crashing,") || text.starts_with("ignoring ") || text.starts_with("daemon ");
    if (of_other_modes) continue;
    const auto line = parse_line(text);
    if (!line) {
      if (!cut) complaints.push_back(job + ": a line that nobody wrote: " + text);
      continue;
    }
    if (line->pid != current && last.contains(line->pid)) complaints.push_back(job + ": out of order: " + text);
    current = line->pid;
    std::int64_t& before = last[line->pid];
    if (line->number != before + 1) {
      complaints.push_back(job + ": " + text + " comes after " + std::to_string(before));
    }
    before = line->number;
  }
  for (const auto& begin : begins(job)) {
    const auto count = written(job, begin.pid);
    if (!cut && last[begin.pid] < count) {
      complaints.push_back(job + ": process " + std::to_string(begin.pid) + " wrote " + std::to_string(count) +
                           " lines, " + std::to_string(last[begin.pid]) + " are in the log");
    }
  }
  if (complaints.size() > 10) complaints.resize(10);
  return complaints;
}

std::string end_of(const boost::json::object& exited) {
  if (const auto signal = text_of(exited, "signal"); !signal.empty()) return signal;
  if (const auto code = number_of(exited, "code")) return std::to_string(static_cast<int>(*code));
  return "unknown";
}

Complaints Ledger::check_exits(const std::string& job, const std::vector<boost::json::object>& exited,
                               const Exits& expected) const {
  Complaints complaints;
  for (const auto& begin : begins(job)) {
    if (alive(begin.pid)) continue;
    const auto about = [&](const boost::json::object& event) { return text_of(event, "run_id") == begin.run; };
    const auto count = std::count_if(exited.begin(), exited.end(), about);
    if (count != 1) {
      complaints.push_back(job + ": the end of run " + begin.run + " (pid " + std::to_string(begin.pid) + ") is told " +
                           std::to_string(count) + " times");
      continue;
    }
    const auto& event = *std::find_if(exited.begin(), exited.end(), about);
    const std::string end = end_of(event);
    if (std::find(expected.ends.begin(), expected.ends.end(), end) == expected.ends.end()) {
      complaints.push_back(job + ": run " + begin.run + " is said to have ended by " + end + ": " +
                           boost::json::serialize(event));
    } else if (expected.cpu && end != "unknown" && !number_of(event, "cpu")) {
      complaints.push_back(job + ": no CPU time: " + boost::json::serialize(event));
    }
  }
  return complaints;
}

}  // namespace usvc::test
