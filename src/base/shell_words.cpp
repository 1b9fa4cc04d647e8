#include "base/shell_words.h"

namespace usvc {

namespace {

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  ShellWords run() {
    for (at_ = 0; at_ < text_.size(); ++at_) take(text_[at_]);
    found_.open = quote_ != 0;
    if (found_.in_word) {
      found_.words.push_back(std::move(word_));
    } else {
      found_.last_begin = text_.size();
    }
    return std::move(found_);
  }

 private:
  void take(char c) {
    if (found_.in_comment) {
      found_.in_comment = c != '\n';
    } else if (quote_ != 0) {
      take_quoted(c);
    } else if (is_blank(c)) {
      end_word();
    } else if (c == '#' && !found_.in_word) {
      found_.in_comment = true;
    } else {
      take_plain(c);
    }
  }

  void take_plain(char c) {
    const bool escapes_newline = c == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
    if (escapes_newline) {
      ++at_;
      return;
    }
    begin_word();
    if (c == '\'' || c == '"' || c == '\\') {
      quote_ = c;
    } else {
      word_ += c;
    }
  }

  void take_quoted(char c) {
    if (quote_ == '\\') {
      word_ += c;
      quote_ = 0;
    } else if (c == quote_) {
      quote_ = 0;
    } else if (quote_ == '"' && c == '\\' && at_ + 1 < text_.size()) {
      // Between double quotes a backslash stands for itself before anything else.
      const char next = text_[at_ + 1];
      if (next == '"' || next == '\\' || next == '$' || next == '`') {
        word_ += next;
        ++at_;
      } else if (next == '\n') {
        ++at_;
      } else {
        word_ += c;
      }
    } else {
      word_ += c;
    }
  }

  void begin_word() {
    if (!found_.in_word) found_.last_begin = at_;
    found_.in_word = true;
  }

  void end_word() {
    if (!found_.in_word) return;
    found_.words.push_back(std::move(word_));
    word_.clear();
    found_.in_word = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string word_;
  char quote_ = 0;
  ShellWords found_;
};

}  // namespace

ShellWords split_shell_words(std::string_view text) {
  return Splitter(text).run();
}

std::string shell_escape(std::string_view word) {
  constexpr std::string_view special = " \t\n\\'\"`$&|;<>(){}[]*?!~#";
  std::string escaped;
  for (const char c : word) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace usvc
