#include <algorithm>

#include "base/text.h"
#include "foreign/draft.h"

namespace usvc::foreign {

namespace {

bool is_process_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos;
}

}  // namespace

// "NAME: COMMAND", the command for a shell, in the file's directory, with the variables of the .env beside it.
Result<Imported> import_procfile(std::string_view text, const Surroundings& around) {
  Reading reading(around);
  const std::vector<std::string> env = dotenv_beside(reading);
  int number = 0;
  for (auto line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty() || line.front() == '#') continue;
    const auto colon = line.find(':');
    const std::string name(trim(line.substr(0, colon)));
    const std::string command(colon == std::string_view::npos ? "" : trim(line.substr(colon + 1)));
    if (!is_process_name(name) || command.empty()) {
      reading.wrong(number, "this line is no NAME: COMMAND");
      continue;
    }
    if (!reading.reserve(1, number)) break;
    Draft draft(reading, name, number);
    for (const auto& assignment : env) {
      const auto equals = assignment.find('=');
      draft.variable(assignment.substr(0, equals), assignment.substr(equals + 1), ".env", number);
    }
    draft.run_line(command);
    draft.finish(name, name);
  }
  return std::move(reading).result();
}

}  // namespace usvc::foreign
