#include "job/environment.h"

#include <cstddef>

#include "base/text.h"

namespace usvc {

void set_variable(std::vector<std::string>& environment, const std::string& assignment) {
  const std::string name = assignment.substr(0, assignment.find('=') + 1);
  std::erase_if(environment, [&](const std::string& variable) { return variable.starts_with(name); });
  environment.push_back(assignment);
}

std::vector<std::string> environment_from(std::vector<std::string> callers, const std::vector<std::string>& own) {
  std::vector<std::string> asked_for;
  for (const auto& assignment : own) set_variable(asked_for, assignment);
  if (asked_for.empty()) return callers;
  for (const auto& assignment : asked_for) set_variable(callers, assignment);
  callers.insert(callers.end() - static_cast<std::ptrdiff_t>(asked_for.size()), std::string());
  return callers;
}

std::string environment_text(const std::vector<std::string>& environment) {
  std::string text;
  for (const auto& variable : environment) {
    text += variable;
    text += '\0';
  }
  return text;
}

std::vector<std::string> variables_in(std::string_view text) {
  std::vector<std::string> environment;
  for (const std::string_view variable : split(text, '\0')) {
    if (!variable.empty()) environment.emplace_back(variable);
  }
  return environment;
}

std::vector<std::string> own_variables_in(std::string_view text) {
  if (text.starts_with('\0')) return variables_in(text);
  const auto border = text.find(std::string_view("\0\0", 2));
  if (border == std::string_view::npos) return {};
  return variables_in(text.substr(border));
}

}  // namespace usvc
