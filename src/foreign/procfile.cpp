#include <climits>
#include <optional>

#include "base/text.h"
#include "foreign/draft.h"
#include "job/env_file.h"

namespace usvc::foreign {

namespace {

bool is_process_name(std::string_view name) {
  constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !name.empty() && name.find_first_not_of(allowed) == std::string_view::npos;
}

// As foreman and its kin give one to each kind of process: PORT, or 5000, and 100 more from line to line.
constexpr int first_port = 5000;
constexpr int port_step = 100;

// Of the .env beside the file, the line that says the port: "FILE:LINE"; empty: none does.
std::string place_of_port(const Surroundings& around) {
  const std::string file = path_from(".env", around.directory);
  const auto text = around.read(file);
  std::string place;
  if (!text) return place;
  for (const auto& line : read_env_file(*text)) {
    if (line.assignment.starts_with("PORT=")) place = file + ":" + std::to_string(line.number);
  }
  return place;
}

class Ports {
 public:
  Ports(Reading& reading, const std::vector<std::string>& dotenv) : reading_(&reading) {
    std::string storage;
    const std::string* port = lookup(dotenv, "PORT", storage);
    if (port == nullptr) port = lookup(reading.around().env, "PORT", storage);
    if (port == nullptr || port->empty()) return;
    place_ = place_of_port(reading.around());
    if (place_.empty()) place_ = "in the environment";
    const auto number = parse_integer<int>(*port);
    if (number && *number >= 0 && *number <= USHRT_MAX) {
      next_ = *number;
    } else {
      reading.wrong(0, place_ + ": PORT=" + *port + ": a port is a number from 0 to 65535");
    }
  }

  // Nothing: there are no more.
  std::optional<std::string> next(int line) {
    const int port = next_;
    next_ += port_step;
    if (port <= USHRT_MAX) return std::to_string(port);
    const bool first = port - port_step <= USHRT_MAX;
    if (!place_.empty()) {
      reading_->wrong(line, "its PORT would be " + std::to_string(port) + ", and 65535 is the last: each line has " +
                                std::to_string(port_step) + " more than the one before (begin lower, " + place_ + ")");
    } else if (first) {
      reading_->tell(line, "from here on there is no PORT: 65535 is the last, and each line has " +
                               std::to_string(port_step) + " more than the one before");
    }
    return std::nullopt;
  }

 private:
  Reading* reading_;
  std::string place_;
  int next_ = first_port;
};

}  // namespace

// "NAME: COMMAND", the command for a shell, in the file's directory, with the variables of the .env beside it.
Result<Imported> import_procfile(std::string_view text, const Surroundings& around) {
  Reading reading(around);
  const std::vector<std::string> env = dotenv_beside(reading);
  Ports ports(reading, env);
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
    if (const auto port = ports.next(number)) draft.variable("PORT", *port, "PORT", number);
    draft.run_line(command);
    draft.finish(name, name);
  }
  return std::move(reading).result();
}

}  // namespace usvc::foreign
