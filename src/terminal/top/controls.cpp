#include "terminal/top/controls.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/display.h"
#include "base/text.h"

namespace usvc::top {

namespace {

// Questions about more jobs than this say how many, not which.
constexpr std::size_t named_in_questions = 6;

constexpr std::array<std::pair<char, SortKey>, 7> sort_letters = {{{'N', SortKey::name},
                                                                   {'C', SortKey::cpu},
                                                                   {'P', SortKey::cpu},
                                                                   {'M', SortKey::mem},
                                                                   {'U', SortKey::up},
                                                                   {'D', SortKey::deaths},
                                                                   {'T', SortKey::state}}};

std::string list_of(const std::vector<const Entry*>& entries) {
  if (entries.size() > named_in_questions) {
    return fmt::format("{} jobs, {} … {}", entries.size(), entries.front()->view.name, entries.back()->view.name);
  }
  std::string text;
  for (const auto* entry : entries) {
    if (!text.empty()) text += ", ";
    text += entry->view.name;
    if (entry->view.pid) text += fmt::format(" (pid {})", *entry->view.pid);
  }
  return text;
}

std::vector<std::string> names_of(const std::vector<const Entry*>& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const auto* entry : entries) names.push_back(entry->view.name);
  return names;
}

// Of the beginning that fits a row, what ends with a word; all of it where that is one word.
std::string_view whole_words(std::string_view line, std::string_view fitting) {
  if (fitting.size() == line.size() || line[fitting.size()] == ' ') return fitting;
  const auto space = fitting.rfind(' ');
  const bool only_indent = space == std::string_view::npos || fitting.find_first_not_of(' ') > space;
  return only_indent ? fitting : fitting.substr(0, space);
}

// A byte of a UTF-8 character other than its first.
bool continues(char c) {
  return (static_cast<unsigned char>(c) & 0xc0U) == 0x80;
}

}  // namespace

const std::vector<KeyHelp>& key_help() {
  static const std::vector<KeyHelp> keys = {
      {"?", "this", "help"},
      {"q  Ctrl-C", "leave", "quit"},
      {"/", "filter by name, group or command as you type; Esc takes it away", "filter"},
      {"a  Enter", "attach to the job's terminal; Ctrl-D comes back", "attach"},
      {"l", "the job's log in the pager", "log"},
      {"r", "restart", "restart"},
      {"s", "stop; asks first", "stop"},
      {"S", "start what is stopped"},
      {"w", "why the job is in its state", "why"},
      {"e", "what happened to the job", "events"},
      {"t", "only jobs in trouble, or all again", "trouble"},
      {"Space", "mark; r, s and S then act on all that are marked"},
      {"u", "take all marks away"},
      {"↑ ↓  j k", "one line up, down"},
      {"PgUp PgDn", "one page up, down"},
      {"Home End  g G", "first, last line"},
      {"N C M U D T", "sort by name, cpu, memory, up, deaths, state; again: the other way round"},
      {"< >", "sort by the column before, after"},
      {"R", "the other way round"},
      {"Ctrl-L", "draw all anew"},
      {"Ctrl-Z", "suspend"},
  };
  return keys;
}

void Pane::set_text(std::string_view text) {
  lines_.clear();
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (const auto line : split(text, '\n')) lines_.push_back(plain_text(line));
  wrap();
}

void Pane::resize(std::size_t width, std::size_t rows) {
  if (width == width_ && rows == page_) return;
  width_ = std::max<std::size_t>(width, 1);
  page_ = rows;
  wrap();
}

void Pane::wrap() {
  wrapped_.clear();
  for (const auto& line : lines_) {
    std::string_view rest = line;
    do {
      // A character wider than the window would never fit.
      const std::string_view fitting = cut_to(rest, std::max<std::size_t>(width_, 2));
      const std::string_view row = whole_words(rest, fitting);
      wrapped_.emplace_back(row);
      rest.remove_prefix(row.size());
      // The space between two words, where the line was broken.
      if (rest.starts_with(' ')) rest.remove_prefix(1);
    } while (!rest.empty());
  }
  first_ = at_end_ ? last_first() : std::min(first_, last_first());
}

void Pane::scroll(std::ptrdiff_t lines) {
  const auto last = static_cast<std::ptrdiff_t>(last_first());
  first_ = static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(static_cast<std::ptrdiff_t>(first_) + lines, 0, last));
  at_end_ = first_ == last_first();
}

void Pane::go_first() {
  at_end_ = false;
  first_ = 0;
}

void Pane::go_last() {
  at_end_ = true;
  first_ = last_first();
}

void Controls::resize(std::size_t width, std::size_t table_rows, std::size_t pane_rows) {
  width_ = width;
  table_rows_ = table_rows;
  pane_rows_ = pane_rows;
  if (pane_) pane_->resize(width, pane_rows);
}

void Controls::say(std::string text, bool bad) {
  message_ = std::move(text);
  message_is_bad_ = bad;
}

void Controls::show_pane(Pane pane) {
  pane_ = std::move(pane);
  pane_->resize(width_, pane_rows_);
}

std::optional<Request> Controls::press(const Key& key) {
  message_.clear();
  if (key.kind == KeyKind::redraw) return Request{Action::redraw, {}};
  if (asked_) return answer(key);
  if (editing_filter_) return in_filter(key);
  if (pane_) return in_pane(key);
  return in_table(key);
}

std::optional<Request> Controls::answer(const Key& key) {
  std::optional<Request> request;
  if (key.text == "y" || key.text == "Y") request = std::move(asked_);
  if (!request) say("nothing was done", false);
  asked_.reset();
  question_.clear();
  if (request) model_->clear_marks();
  return request;
}

std::optional<Request> Controls::in_filter(const Key& key) {
  std::string text = model_->filter();
  switch (key.kind) {
    case KeyKind::character:
      text += key.text;
      break;
    case KeyKind::backspace:
      while (!text.empty() && continues(text.back())) text.pop_back();
      if (!text.empty()) text.pop_back();
      break;
    case KeyKind::enter:
      editing_filter_ = false;
      return std::nullopt;
    case KeyKind::escape:
      editing_filter_ = false;
      text.clear();
      break;
    case KeyKind::up:
    case KeyKind::down:
    case KeyKind::left:
    case KeyKind::right:
    case KeyKind::page_up:
    case KeyKind::page_down:
    case KeyKind::home:
    case KeyKind::end:
    case KeyKind::redraw:
      navigate(key);
      return std::nullopt;
  }
  model_->filter(std::move(text));
  model_->arrange();
  return std::nullopt;
}

std::optional<Request> Controls::in_pane(const Key& key) {
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(pane_->page(), 2)) - 1;
  const std::string& text = key.text;
  if (key.kind == KeyKind::up || text == "k") pane_->scroll(-1);
  if (key.kind == KeyKind::down || key.kind == KeyKind::enter || text == "j") pane_->scroll(1);
  if (key.kind == KeyKind::page_up || text == "b") pane_->scroll(-page);
  if (key.kind == KeyKind::page_down || text == " ") pane_->scroll(page);
  if (key.kind == KeyKind::home || text == "g") pane_->go_first();
  if (key.kind == KeyKind::end || text == "G") pane_->go_last();
  if (key.kind == KeyKind::escape || text == "q") pane_.reset();
  return std::nullopt;
}

std::optional<Request> Controls::in_table(const Key& key) {
  if (navigate(key)) return std::nullopt;
  if (key.kind == KeyKind::escape) escape();
  if (key.kind == KeyKind::enter) return for_one(Action::attach);
  if (key.kind == KeyKind::character && key.text.size() == 1) return letter(key.text[0]);
  return std::nullopt;
}

bool Controls::navigate(const Key& key) {
  const auto page = static_cast<std::ptrdiff_t>(std::max<std::size_t>(table_rows_, 1));
  switch (key.kind) {
    case KeyKind::up:
      model_->move(-1);
      return true;
    case KeyKind::down:
      model_->move(1);
      return true;
    case KeyKind::page_up:
      model_->move(-page);
      return true;
    case KeyKind::page_down:
      model_->move(page);
      return true;
    case KeyKind::home:
      model_->go_first();
      return true;
    case KeyKind::end:
      model_->go_last();
      return true;
    case KeyKind::character:
    case KeyKind::enter:
    case KeyKind::escape:
    case KeyKind::backspace:
    case KeyKind::left:
    case KeyKind::right:
    case KeyKind::redraw:
      return false;
  }
  return false;
}

// What was chosen last goes first.
void Controls::escape() {
  if (!model_->filter().empty()) {
    model_->filter("");
  } else if (model_->only_trouble()) {
    model_->only_trouble(false);
  } else {
    model_->clear_marks();
  }
  model_->arrange();
}

bool Controls::sort(char c) {
  const auto* letter =
      std::find_if(sort_letters.begin(), sort_letters.end(), [c](const auto& pair) { return pair.first == c; });
  if (letter != sort_letters.end()) {
    model_->sort_by(letter->second);
  } else if (c == '<' || c == '>') {
    model_->sort_by_next(c == '<' ? -1 : 1);
  } else if (c == 'R') {
    model_->reverse();
  } else {
    return false;
  }
  model_->arrange();
  return true;
}

std::optional<Request> Controls::letter(char c) {
  if (sort(c)) return std::nullopt;
  switch (c) {
    case 'q':
      return Request{Action::leave, {}};
    case 'j':
      model_->move(1);
      break;
    case 'k':
      model_->move(-1);
      break;
    case 'g':
      model_->go_first();
      break;
    case 'G':
      model_->go_last();
      break;
    case ' ':
      model_->toggle_mark();
      model_->move(1);
      break;
    case 'u':
      model_->clear_marks();
      break;
    case '/':
      editing_filter_ = true;
      break;
    case 't':
      model_->only_trouble(!model_->only_trouble());
      model_->arrange();
      break;
    case '?':
    case 'h':
      help();
      break;
    case 'a':
      return for_one(Action::attach);
    case 'l':
      return for_one(Action::log);
    case 'w':
      return for_one(Action::why);
    case 'e':
      return for_one(Action::events);
    case 'r':
      return for_chosen(Action::restart);
    case 's':
      return for_chosen(Action::stop);
    case 'S':
      return start_stopped();
    default:
      say("no key of the table; ? shows them", false);
  }
  return std::nullopt;
}

std::optional<Request> Controls::for_one(Action action) {
  const Entry* entry = model_->selected();
  if (entry != nullptr) return Request{action, {entry->view.name}};
  say("no job is selected", true);
  return std::nullopt;
}

std::optional<Request> Controls::for_chosen(Action action) {
  const auto entries = model_->chosen();
  if (entries.empty()) {
    say("no job is selected", true);
    return std::nullopt;
  }
  Request request{action, names_of(entries)};
  const bool several = entries.size() > 1;
  if (action == Action::stop || several) {
    question_ = (action == Action::stop ? "stop " : "restart ") + list_of(entries) + "?";
    asked_ = std::move(request);
    return std::nullopt;
  }
  model_->clear_marks();
  return request;
}

std::optional<Request> Controls::start_stopped() {
  auto entries = model_->chosen();
  std::erase_if(entries, [](const Entry* entry) { return entry->view.pid.has_value(); });
  if (entries.empty()) {
    say("nothing to start: what is chosen runs", false);
    return std::nullopt;
  }
  Request request{Action::start, names_of(entries)};
  model_->clear_marks();
  return request;
}

void Controls::help() {
  std::string text;
  for (const auto& key : key_help()) {
    text += std::string(key.keys) + std::string(16 - std::min<std::size_t>(15, display_width(key.keys)), ' ');
    text.append(key.what).append("\n");
  }
  text +=
      "\nThe columns are those of usvc status. CPU is what the job's processes took since the last look, 100% being\n"
      "one core; behind it and behind the memory stand the last looks. CPU blocks begin at 1, 3, 7, 15, 30, 60 and\n"
      "100%; memory is drawn from the least to the most that is shown. A gap: it did not run.\n";
  Pane pane(std::nullopt, "keys of usvc top");
  pane.set_text(text);
  show_pane(std::move(pane));
}

}  // namespace usvc::top
