#include "manager/git_config_scanner.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace usvc {

namespace {

// Not those of <cctype>, which ask the locale: these are git's.
constexpr bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr bool is_key_character(char c) {
  return is_letter(c) || is_digit(c) || c == '-';
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

constexpr bool begins_comment(char c) {
  return c == '#' || c == ';';
}

// Of a value: it stands for itself, and the next character does not depend on it.
constexpr bool is_plain(char c) {
  return !is_blank(c) && !begins_comment(c) && c != '\n' && c != '\\' && c != '"';
}

void assign_lower_case(std::string& to, std::string_view text) {
  to.resize(text.size());
  std::ranges::transform(text, to.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
}

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr const char* other_format = "it is not in git-config format: ";

}  // namespace

bool is_git_config_key(std::string_view text) {
  return !text.empty() && is_letter(text[0]) && std::ranges::all_of(text, is_key_character);
}

std::string git_config_lower_case(std::string_view text) {
  std::string lower;
  assign_lower_case(lower, text);
  return lower;
}

GitConfigScanner::GitConfigScanner(std::string_view text) : text_(text) {
  if (text_.starts_with(byte_order_mark)) at_ = byte_order_mark.size();
  const auto nul = text_.find('\0');
  if (nul == std::string_view::npos) return;
  const auto lines = std::ranges::count(text_.substr(0, nul), '\n');
  (void)fail(1 + static_cast<int>(lines), std::string(other_format) + "a NUL byte", "");
}

GitConfigScanner::Found GitConfigScanner::next() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\n') {
      ++line_;
      ++at_;
    } else if (is_blank(c)) {
      ++at_;
    } else if (begins_comment(c)) {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      begin_ = at_;
      begin_line_ = line_;
      const Found found = c == '[' ? read_header() : read_entry();
      end_ = found == Found::header ? at_ : end_;
      return found;
    }
  }
  return fault_.line == 0 ? Found::end : Found::fault;
}

GitConfigScanner::Found GitConfigScanner::fail(int line, std::string what, std::string hint) {
  fault_ = {line, std::move(what), std::move(hint)};
  at_ = text_.size();
  return Found::fault;
}

// Carriage returns before a line's end belong to it, others are blanks.
bool GitConfigScanner::at_line_end() const {
  return at_ == text_.size() || text_[at_] == '\n' || (text_[at_] == '\r' && text_.substr(at_ + 1).starts_with('\n'));
}

GitConfigScanner::Found GitConfigScanner::read_header() {
  const std::size_t name_begin = ++at_;
  while (at_ < text_.size() && (is_key_character(text_[at_]) || text_[at_] == '.')) ++at_;
  const std::string_view name = text_.substr(name_begin, at_ - name_begin);
  // [section.subsection] is git's old way to write it.
  const std::size_t dot = name.find('.');
  const bool dotted = dot != std::string_view::npos;
  assign_lower_case(section_, name.substr(0, dot));
  assign_lower_case(subsection_, dotted ? name.substr(dot + 1) : std::string_view());
  in_section_ = true;
  const bool quoted = at_ < text_.size() && is_blank(text_[at_]);
  if (quoted && dotted) subsection_ += '.';
  const bool closed = (!quoted || read_subsection()) && at_ < text_.size() && text_[at_] == ']';
  if (!closed) return fail(line_, "a section header that is none", R"([NAME] or [NAME "SUBSECTION"])");
  if (section_.empty() || ((dotted || quoted) && subsection_.empty())) {
    return fail(line_, "a section without a name", R"([NAME] or [NAME "SUBSECTION"])");
  }
  ++at_;
  return Found::header;
}

// From the blank before it up to what follows the closing quote.
bool GitConfigScanner::read_subsection() {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  if (at_ == text_.size() || text_[at_] != '"') return false;
  ++at_;
  for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (text_[at_] == '\\') ++at_;
    if (at_ == text_.size() || text_[at_] == '\n') return false;
    subsection_ += text_[at_];
  }
  if (at_ == text_.size()) return false;
  ++at_;
  return true;
}

GitConfigScanner::Found GitConfigScanner::read_entry() {
  if (!in_section_) return fail(line_, std::string(other_format) + "a line before its first [section]", "");
  if (!is_letter(text_[at_])) {
    return fail(line_, "a line that is not KEY = VALUE", "a key begins with a letter, # begins a comment");
  }
  while (at_ < text_.size() && is_key_character(text_[at_])) ++at_;
  assign_lower_case(key_, text_.substr(begin_, at_ - begin_));
  value_.clear();
  end_ = value_begin_ = at_;
  while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  has_value_ = !at_line_end();
  if (!has_value_) return Found::entry;
  if (text_[at_] == '=') return read_value();
  return fail(line_, "a line that is not KEY = VALUE", "a key has letters, digits and hyphens only");
}

GitConfigScanner::Found GitConfigScanner::read_value() {
  end_ = value_begin_ = ++at_;
  bool begun = false;
  bool quoted = false;
  std::size_t kept = 0;  // of the value; behind it are blanks, which count only before something else
  while (!at_line_end()) {
    const char c = text_[at_];
    if (!quoted && is_blank(c)) {
      if (!value_.empty()) value_ += c;
      ++at_;
      continue;
    }
    if (!quoted && begins_comment(c)) break;  // next() passes over it
    if (!std::exchange(begun, true)) value_begin_ = at_;
    if (c == '\\') {
      if (!read_escape()) return Found::fault;
    } else if (c == '"') {
      quoted = !quoted;
      ++at_;
    } else {
      const std::size_t run = at_++;
      while (at_ < text_.size() && is_plain(text_[at_])) ++at_;
      value_.append(text_, run, at_ - run);
    }
    kept = value_.size();
    end_ = at_;
  }
  if (quoted) return fail(line_, "a quote that is not closed", R"(\" is a quote that belongs to the value)");
  value_.resize(kept);
  return Found::entry;
}

bool GitConfigScanner::read_escape() {
  constexpr std::string_view names = "\\\"ntb";
  constexpr std::string_view meant = "\\\"\n\t\b";
  const int line = line_;
  ++at_;
  if (at_line_end()) {
    at_ = std::min(text_.find('\n', at_), text_.size() - 1) + 1;
    ++line_;
    if (at_ < text_.size()) return true;
  } else if (const std::size_t which = names.find(text_[at_]); which != std::string_view::npos) {
    value_ += meant[which];
    ++at_;
    return true;
  }
  (void)fail(line, "an unknown escape", R"(\\ is a backslash, \" a quote)");
  return false;
}

}  // namespace usvc
