#include "job/env_file.h"

#include "base/error.h"
#include "base/text.h"
#include "job/names.h"

namespace usvc {

namespace {

bool is_blank_or_comment(std::string_view text) {
  text = trim(text);
  return text.empty() || text.front() == '#';
}

// Of what follows a K=, the value: up to the closing quote, or to a comment.
Result<std::string> dotenv_value(std::string_view text) {
  const std::string_view value = trim(text);
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) {
    return std::string(trim(text.substr(0, text.find(" #"))));
  }
  const char quote = value.front();
  std::string out;
  for (std::size_t i = 1; i < value.size(); ++i) {
    if (value[i] == quote) {
      if (is_blank_or_comment(value.substr(i + 1))) return out;
      return fail("there is more behind the closing quote than a comment");
    }
    if (quote == '"' && value[i] == '\\' && i + 1 < value.size()) {
      ++i;
      out += value[i] == 'n' ? '\n' : value[i];
    } else {
      out += value[i];
    }
  }
  return fail("a quote in it is not closed");
}

EnvLine read_line(std::string_view text, int number) {
  constexpr std::string_view exported = "export ";
  EnvLine line{.number = number, .assignment = {}, .no_assignment = false, .wrong = {}};
  if (text.starts_with(exported)) text = trim(text.substr(exported.size()));
  const auto equals = text.find('=');
  const std::string name(trim(text.substr(0, equals)));
  line.no_assignment = equals == std::string_view::npos || !check_assignment(name + std::string(text.substr(equals)));
  if (line.no_assignment) return line;
  auto value = dotenv_value(text.substr(equals + 1));
  if (value) {
    line.assignment = name + "=" + *value;
  } else {
    line.wrong = value.error().message();
  }
  return line;
}

}  // namespace

std::vector<EnvLine> read_env_file(std::string_view text) {
  std::vector<EnvLine> lines;
  int number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (!is_blank_or_comment(line)) lines.push_back(read_line(trim(line), number));
  }
  return lines;
}

}  // namespace usvc
