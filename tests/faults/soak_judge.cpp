#include "faults/soak_judge.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "base/signals.h"

namespace usvc::test {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;
constexpr std::size_t most_findings = 40;

struct Exit {
  std::string how;  // "code 1", "signal KILL", or empty
  bool asked = false;
  double t = 0;
};

struct Told {
  std::string job;
  std::int64_t pid = 0;
  double begin = 0;
  std::string end;  // as the run meant to end: "code 1"; empty: it never came so far
  std::vector<Exit> exits;
  std::uint64_t in_log = 0;  // the last number of the unbroken sequence
};

class Judge {
 public:
  explicit Judge(const SoakFacts& facts) : facts_(facts) {}

  SoakFigures result() {
    read_ledger();
    read_events();
    for (const auto& entry : fs::recursive_directory_iterator(facts_.home + "/logs")) {
      // An index may hold what looks like a line.
      const bool is_log = entry.path().string().find(".log") != std::string::npos && entry.path().extension() != ".idx";
      if (entry.is_regular_file() && is_log) read_log(entry.path());
    }
    for (auto& [run_id, run] : runs_) look_at(run_id, run);
    std::ifstream two(facts_.directory + "/two-copies");
    for (std::string line; std::getline(two, line);) {
      ++figures_.two_copies;
      finding("two copies: " + line);
    }
    return std::move(figures_);
  }

 private:
  void finding(std::string text) {
    if (figures_.findings.size() < most_findings) figures_.findings.push_back(std::move(text));
  }

  void read_ledger() {
    std::ifstream ledger(facts_.directory + "/ledger");
    for (std::string line; std::getline(ledger, line);) {
      std::istringstream words(line);
      std::string what;
      std::string job;
      std::string run_id;
      double t = 0;
      words >> what >> job >> run_id >> t;
      Told& run = runs_[run_id];
      run.job = job;
      if (what == "begin") {
        run.begin = t;
        words >> run.pid;
        ++figures_.runs;
        continue;
      }
      std::string kind;
      int number = 0;
      words >> kind >> number;
      run.end = kind + " " + (kind == "signal" ? signal_short(number) : std::to_string(number));
    }
  }

  static std::string signal_short(int number) {
    const std::string name = signal_name(number);
    return name.starts_with("SIG") ? name.substr(3) : name;
  }

  void read_events() {
    std::istringstream lines(facts_.events);
    for (std::string line; std::getline(lines, line);) {
      boost::system::error_code error;
      const auto value = json::parse(line, error);
      if (error || !value.is_object()) {
        finding("no event: " + line);
        continue;
      }
      const auto& event = value.get_object();
      const auto text = [&](const char* key) {
        const auto* found = event.if_contains(key);
        return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
      };
      if (text("event") != "exited") continue;
      const auto run = runs_.find(text("run_id"));
      if (run == runs_.end()) continue;  // its program never got as far as the ledger
      ++figures_.exits;
      Exit exit;
      if (const auto* code = event.if_contains("code"); code != nullptr && code->is_number()) {
        exit.how = "code " + std::to_string(code->to_number<int>());
      }
      if (std::string signal = text("signal"); !signal.empty()) {
        exit.how = "signal " + (signal.starts_with("SIG") ? signal.substr(3) : signal);
      }
      const auto* asked = event.if_contains("asked");
      exit.asked = asked != nullptr && asked->is_bool() && asked->get_bool();
      exit.t = event.at("t").to_number<double>();
      run->second.exits.push_back(std::move(exit));
    }
  }

  // "<RUN NUMBER...>" a line; what a killed run had begun to write may stand before the next one's first line.
  void read_log(const fs::path& file) {
    std::ifstream log(file, std::ios::binary);
    for (std::string line; std::getline(log, line);) {
      const auto begin = line.rfind('<');
      const auto space = begin == std::string::npos ? begin : line.find(' ', begin);
      if (space == std::string::npos || !line.ends_with('>')) continue;
      const auto run = runs_.find(line.substr(begin + 1, space - begin - 1));
      std::uint64_t number = 0;
      std::from_chars(line.data() + space + 1, line.data() + line.size(), number);
      if (run == runs_.end() || number == 0) {
        finding(file.string() + ": of no run: " + line);
        continue;
      }
      ++figures_.lines;
      Told& told = run->second;
      if (number <= told.in_log) {
        ++figures_.doubled_lines;
        finding(file.string() + ": doubled, or out of order after " + std::to_string(told.in_log) + ": " + line);
      } else if (number > told.in_log + 1) {
        lose(run->first, told, number - told.in_log - 1, "before line " + std::to_string(number));
      }
      told.in_log = std::max(told.in_log, number);
    }
  }

  [[nodiscard]] bool lived_in_a_gap(const Told& run) const {
    const double end = run.exits.empty() ? run.begin + 1e9 : run.exits.back().t;
    return std::any_of(facts_.gaps.begin(), facts_.gaps.end(),
                       [&](const auto& gap) { return run.begin <= gap.second && end >= gap.first; });
  }

  void lose(const std::string& run_id, const Told& run, std::uint64_t lines, const std::string& where) {
    if (lived_in_a_gap(run)) return;
    figures_.lost_lines += lines;
    finding(run_id + ": " + std::to_string(lines) + " lines lost " + where);
  }

  void look_at(const std::string& run_id, const Told& run) {
    const bool in_gap = lived_in_a_gap(run);
    if (in_gap) ++figures_.not_counted;
    std::uint64_t written = 0;
    std::ifstream(facts_.directory + "/counts/" + run_id, std::ios::binary)
        .read(reinterpret_cast<char*>(&written), sizeof written);  // the stream wants characters
    if (run.in_log < written) lose(run_id, run, written - run.in_log, "at its end, of " + std::to_string(written));
    if (run.in_log > written + 1) finding(run_id + ": more in the log than it wrote");
    if (run.exits.empty()) {
      ++figures_.lost_exits;
      return finding(run_id + ": its end is told nowhere");
    }
    if (run.exits.size() > 1) {
      ++figures_.doubled_exits;
      finding(run_id + ": its end is told " + std::to_string(run.exits.size()) + " times");
    }
    const Exit& exit = run.exits.front();
    const bool killed = facts_.killed.contains(run.pid);
    if (exit.how.empty() && !in_gap) {
      ++figures_.unknown_exits;
      finding(run_id + ": nobody knows how it ended; it meant to: " + run.end);
    } else if (!exit.how.empty() && !run.end.empty() && exit.how != run.end && !exit.asked && !killed && !in_gap) {
      ++figures_.wrong_exits;
      finding(run_id + ": ended by " + run.end + ", told as " + exit.how);
    }
    if (facts_.endless.contains(run.job) && !exit.asked && !killed && !in_gap) {
      ++figures_.unexplained;
      finding(run_id + ": ended by " + exit.how + " although nobody asked for it");
    }
  }

  const SoakFacts& facts_;
  SoakFigures figures_;
  std::map<std::string, Told> runs_;
};

}  // namespace

SoakFigures judge(const SoakFacts& facts) {
  return Judge(facts).result();
}

}  // namespace usvc::test
