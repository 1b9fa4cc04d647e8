#include <climits>
#include <optional>

#include "base/text.h"
#include "foreign/draft.h"

namespace usvc::foreign {

namespace {

bool is_process_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos;
}

// As foreman and its kin give one to each kind of process: PORT, or 5000, and 100 more from line to line.
constexpr int first_port = 5000;
constexpr int port_step = 100;

std::optional<int> base_port(const std::vector<std::string>& dotenv, const Surroundings& around) {
  std::string storage;
  const std::string* port = lookup(dotenv, "PORT", storage);
  if (port == nullptr) port = lookup(around.env, "PORT", storage);
  if (port == nullptr) return first_port;
  const auto number = parse_integer<int>(*port);
  return number && *number >= 0 && *number <= USHRT_MAX ? number : std::nullopt;
}

}  // namespace

// "NAME: COMMAND", the command for a shell, in the file's directory, with the variables of the .env beside it.
Result<Imported> import_procfile(std::string_view text, const Surroundings& around) {
  Reading reading(around);
  const std::vector<std::string> env = dotenv_beside(reading);
  const std::optional<int> port = base_port(env, around);
  int number = 0;
  int processes = 0;
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
    if (port) draft.variable("PORT", std::to_string(*port + port_step * processes), "PORT", number);
    ++processes;
    draft.run_line(command);
    draft.finish(name, name);
  }
  return std::move(reading).result();
}

}  // namespace usvc::foreign
