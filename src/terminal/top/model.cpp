#include "terminal/top/model.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace usvc::top {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string searched_text(const JobView& job) {
  std::string text = job.name + "\n" + job.group + "\n";
  for (const auto& word : job.cmd) text += word + " ";
  return lower(text);
}

// The number a job is sorted by; all but names have the largest first.
double weight(const Entry& entry, SortKey key) {
  const JobView& job = entry.view;
  switch (key) {
    case SortKey::name:
    case SortKey::state:
      return 0;
    case SortKey::cpu:
      return job.cpu_percent.value_or(-1);
    case SortKey::mem:
      return job.mem_bytes ? static_cast<double>(*job.mem_bytes) : -1;
    case SortKey::up:
      return job.pid && job.started_at ? -*job.started_at : -1e18;
    case SortKey::deaths:
      return static_cast<double>(job.deaths);
  }
  return 0;
}

// Who needs a look comes first, then what is under way, then who runs.
std::size_t state_rank(const Entry& entry) {
  constexpr std::array<std::string_view, 9> order = {"invalid", "dead",     "waiting", "stopping", "starting",
                                                     "pre-run", "post-run", "running", "stopped"};
  const auto* at = std::find(order.begin(), order.end(), entry.view.state);
  return (entry.trouble.empty() ? 100U : 0U) + static_cast<std::size_t>(at - order.begin());
}

}  // namespace

std::string_view to_string(SortKey key) {
  switch (key) {
    case SortKey::name:
      return "name";
    case SortKey::cpu:
      return "cpu";
    case SortKey::mem:
      return "mem";
    case SortKey::up:
      return "up";
    case SortKey::deaths:
      return "deaths";
    case SortKey::state:
      return "state";
  }
  return "name";
}

void Model::take(JobView job) {
  auto [at, added] = entries_.try_emplace(job.name);
  Entry& entry = at->second;
  if (added) changed_ = true;
  // The manager does not tell these, and they are of the same process still.
  if (!added && job.pid == entry.view.pid) {
    job.cpu_percent = entry.view.cpu_percent;
    job.mem_bytes = entry.view.mem_bytes;
    job.kernel_state = std::move(entry.view.kernel_state);
  }
  job.md5_changed = entry.view.md5_changed;
  entry.view = std::move(job);
  entry.searched = searched_text(entry.view);
  entry.trouble = words_.trouble(entry.view, now_);
}

void Model::replace(std::vector<JobView> jobs) {
  std::vector<std::string_view> names;
  names.reserve(jobs.size());
  for (const auto& job : jobs) names.push_back(job.name);
  std::sort(names.begin(), names.end());
  const auto gone = [&](const auto& entry) { return !std::binary_search(names.begin(), names.end(), entry.first); };
  if (std::erase_if(entries_, gone) > 0) changed_ = true;
  update(std::move(jobs));
}

void Model::update(std::vector<JobView> jobs) {
  for (auto& job : jobs) take(std::move(job));
}

void Model::remove(const std::vector<std::string>& names) {
  for (const auto& name : names) changed_ = entries_.erase(name) > 0 || changed_;
}

void Model::begin_tick(std::uint64_t tick, double now) {
  tick_ = tick;
  now_ = now;
  for (auto& [name, entry] : entries_) {
    entry.trouble = words_.trouble(entry.view, now);
    if (entry.view.pid) continue;
    entry.cpu.skip(tick);
    entry.mem.skip(tick);
  }
}

void Model::measured(Entry& entry, const Figures& figures) {
  entry.view.cpu_percent = figures.cpu_percent;
  entry.view.mem_bytes = figures.mem_bytes;
  entry.view.kernel_state = figures.kernel_state;
  if (figures.cpu_percent) {
    entry.cpu.add(tick_, static_cast<float>(*figures.cpu_percent));
  } else {
    entry.cpu.skip(tick_);
  }
  if (figures.mem_bytes) {
    entry.mem.add(tick_, static_cast<float>(*figures.mem_bytes));
  } else {
    entry.mem.skip(tick_);
  }
}

bool Model::wanted(const Entry& entry) const {
  if (only_trouble_ && entry.trouble.empty()) return false;
  return filter_.empty() || entry.searched.find(lower(filter_)) != std::string::npos;
}

bool Model::descending() const {
  const bool usual = key_ != SortKey::name && key_ != SortKey::state;
  return usual != reversed_;
}

bool Model::before(const Entry& a, const Entry& b) const {
  const Entry& first = reversed_ ? b : a;
  const Entry& second = reversed_ ? a : b;
  if (key_ == SortKey::name) return first.place < second.place;
  if (key_ == SortKey::state) {
    const auto rank = state_rank(first);
    const auto other = state_rank(second);
    return rank != other ? rank < other : a.place < b.place;
  }
  const double heavy = weight(first, key_);
  const double other = weight(second, key_);
  // Of those that are alike the order is always the same, or lines would change places for nothing.
  return heavy != other ? heavy > other : a.place < b.place;
}

void Model::arrange() {
  if (changed_) {
    std::vector<Entry*> named;
    named.reserve(entries_.size());
    for (auto& [name, entry] : entries_) named.push_back(&entry);
    std::stable_sort(named.begin(), named.end(),
                     [](const Entry* a, const Entry* b) { return natural_less(a->view.name, b->view.name); });
    for (std::size_t i = 0; i < named.size(); ++i) named[i]->place = i;
    changed_ = false;
  }
  shown_.clear();
  for (auto& [name, entry] : entries_) {
    if (wanted(entry)) shown_.push_back(&entry);
  }
  std::sort(shown_.begin(), shown_.end(), [this](const Entry* a, const Entry* b) { return before(*a, *b); });
  find_line();
}

// One that is shown no more leaves the selection to whatever has taken its line.
void Model::find_line() {
  if (selected_.empty()) {
    line_ = 0;
    return;
  }
  for (std::size_t i = 0; i < shown_.size(); ++i) {
    if (shown_[i]->view.name == selected_) {
      line_ = i;
      return;
    }
  }
  line_ = std::min(line_, shown_.empty() ? 0 : shown_.size() - 1);
  selected_ = shown_.empty() || line_ == 0 ? std::string() : shown_[line_]->view.name;
}

void Model::sort_by(SortKey key) {
  reversed_ = key == key_ && !reversed_;
  key_ = key;
}

void Model::sort_by_next(int step) {
  const auto count = static_cast<int>(all_sort_keys.size());
  const auto at = std::find(all_sort_keys.begin(), all_sort_keys.end(), key_) - all_sort_keys.begin();
  key_ = all_sort_keys[static_cast<std::size_t>((static_cast<int>(at) + step + count) % count)];
  reversed_ = false;
}

void Model::filter(std::string text) {
  filter_ = std::move(text);
}

void Model::move(std::ptrdiff_t lines) {
  if (shown_.empty()) return;
  const auto last = static_cast<std::ptrdiff_t>(shown_.size()) - 1;
  line_ = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(line_) + lines, 0, last));
  selected_ = shown_[line_]->view.name;
}

void Model::go_first() {
  selected_.clear();
  line_ = 0;
}

void Model::go_last() {
  move(static_cast<std::ptrdiff_t>(shown_.size()));
}

const Entry* Model::selected() const {
  return line_ < shown_.size() ? shown_[line_] : nullptr;
}

std::size_t Model::scroll(std::size_t lines) {
  if (lines == 0) return first_ = line_;
  first_ = std::min(first_, shown_.size() > lines ? shown_.size() - lines : 0);
  if (line_ < first_) first_ = line_;
  if (line_ >= first_ + lines) first_ = line_ - lines + 1;
  return first_;
}

void Model::toggle_mark() {
  if (line_ < shown_.size()) shown_[line_]->marked = !shown_[line_]->marked;
}

void Model::clear_marks() {
  for (auto& [name, entry] : entries_) entry.marked = false;
}

std::vector<const Entry*> Model::chosen() const {
  std::vector<const Entry*> found;
  for (const auto& [name, entry] : entries_) {
    if (entry.marked) found.push_back(&entry);
  }
  std::sort(found.begin(), found.end(), [](const Entry* a, const Entry* b) { return a->place < b->place; });
  if (found.empty() && selected() != nullptr) found.push_back(selected());
  return found;
}

}  // namespace usvc::top
