#include "manual/roff.h"

namespace usvc {

std::string roff_text(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c == '\\') {
      result += "\\e";
    } else if (c == '-') {
      result += "\\-";
    } else if (c == '\'') {
      result += "\\(aq";  // else it becomes a closing quotation mark
    } else if (c == '~') {
      result += "\\(ti";
    } else if (c == '^') {
      result += "\\(ha";
    } else {
      result += c;
    }
  }
  return result;
}

std::string roff_lines(std::string_view lines) {
  std::string result;
  while (!lines.empty()) {
    const auto newline = lines.find('\n');
    const std::string_view line = lines.substr(0, newline);
    if (line.starts_with('.')) result += "\\&";
    result += roff_text(line) + "\n";
    lines.remove_prefix(newline == std::string_view::npos ? lines.size() : newline + 1);
  }
  return result;
}

std::string roff_bold(std::string_view text) {
  return "\\fB" + roff_text(text) + "\\fR";
}

std::string roff_italic(std::string_view text) {
  return "\\fI" + roff_text(text) + "\\fR";
}

std::string roff_item(std::string_view tag, std::string_view text) {
  return ".TP\n" + std::string(tag) + "\n" + roff_lines(text);
}

}  // namespace usvc
