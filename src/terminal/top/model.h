// What `top` knows of the jobs: their list, the samples, the order they are shown in, and which one is selected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shapes/views.h"
#include "terminal/job_row.h"
#include "terminal/top/history.h"

namespace usvc::top {

enum class SortKey : std::uint8_t { name, cpu, mem, up, deaths, state };
inline constexpr std::array all_sort_keys = {SortKey::name, SortKey::cpu,    SortKey::mem,
                                             SortKey::up,   SortKey::deaths, SortKey::state};
std::string_view to_string(SortKey key);

// What was measured of one job's processes.
struct Figures {
  std::optional<double> cpu_percent;
  std::optional<std::int64_t> mem_bytes;
  std::optional<std::string> kernel_state;
};

struct Entry {
  JobView view;
  std::string trouble;
  bool marked = false;
  History cpu;
  History mem;
  std::string searched;   // what the filter looks at
  std::size_t place = 0;  // by name
};

// How jobs are put into words.
struct Words {
  std::function<JobRow(const JobView& job, double now)> row;
  std::function<std::string(const JobView& job, double now)> trouble;
};

class Model {
 public:
  explicit Model(Words words) : words_(std::move(words)) {}

  // The whole list; what was measured of jobs that stay is kept, and so are their marks.
  void replace(std::vector<JobView> jobs);
  // These are new or have changed.
  void update(std::vector<JobView> jobs);
  void remove(const std::vector<std::string>& names);
  // A moment begins: what follows is measured at this tick.
  void begin_tick(std::uint64_t tick, double now);
  void measured(Entry& entry, const Figures& figures);
  // Puts what is shown in order. To be called after any of these, and before anything below is asked.
  void arrange();

  void sort_by(SortKey key);  // the one it is sorted by already: reverses
  void sort_by_next(int step);
  void reverse() { reversed_ = !reversed_; }
  void filter(std::string text);
  void only_trouble(bool only) { only_trouble_ = only; }
  [[nodiscard]] SortKey sort_key() const { return key_; }
  [[nodiscard]] bool descending() const;
  [[nodiscard]] const std::string& filter() const { return filter_; }
  [[nodiscard]] bool only_trouble() const { return only_trouble_; }

  // In the order they are shown.
  [[nodiscard]] const std::vector<Entry*>& shown() const { return shown_; }
  [[nodiscard]] std::map<std::string, Entry, std::less<>>& all() { return entries_; }
  [[nodiscard]] const std::map<std::string, Entry, std::less<>>& all() const { return entries_; }
  [[nodiscard]] JobRow row(const Entry& entry) const { return words_.row(entry.view, now_); }
  [[nodiscard]] std::uint64_t tick() const { return tick_; }

  // The selection is a job, not a line: it stays with it wherever it moves to. Until one is chosen it is the first
  // line, so that the order's head stays in sight.
  void move(std::ptrdiff_t lines);
  void go_first();
  void go_last();
  [[nodiscard]] const Entry* selected() const;
  [[nodiscard]] std::size_t selected_line() const { return line_; }
  // The line to begin with so that the selected one is among `lines`.
  std::size_t scroll(std::size_t lines);
  void toggle_mark();
  void clear_marks();
  // Those that are marked, in the order of their names; none is: the selected one.
  [[nodiscard]] std::vector<const Entry*> chosen() const;

 private:
  void take(JobView job);
  void find_line();
  [[nodiscard]] bool wanted(const Entry& entry) const;
  [[nodiscard]] bool before(const Entry& a, const Entry& b) const;

  Words words_;
  std::map<std::string, Entry, std::less<>> entries_;
  bool changed_ = false;  // who is there
  std::uint64_t tick_ = 0;
  double now_ = 0;
  SortKey key_ = SortKey::name;
  bool reversed_ = false;
  std::string filter_;
  bool only_trouble_ = false;
  std::vector<Entry*> shown_;
  std::string selected_;  // empty: the first line
  std::size_t line_ = 0;
  std::size_t first_ = 0;
};

}  // namespace usvc::top
