#include "cli/dispatch.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "cli/args.h"
#include "cli/command.h"
#include "cli/context.h"
#include "cli/help.h"
#include "cli/instance.h"
#include "cli/json_out.h"
#include "shapes/requests.h"

namespace usvc {

int exit_status_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::failure:
      return 1;
    case ErrorKind::usage:
      return 2;
    case ErrorKind::no_match:
      return 3;
    case ErrorKind::unreachable:
      return 4;
  }
  return 1;
}

namespace {

struct CommandLine {
  Arguments leading;
  const Command* command = nullptr;
  std::string called_as;
  Arguments arguments;

  [[nodiscard]] bool has(std::string_view id) const { return leading.has(id) || arguments.has(id); }
  [[nodiscard]] std::optional<std::string> value(std::string_view id) const {
    auto later = arguments.value(id);
    return later ? later : leading.value(id);
  }
};

// Whether errors are to be JSON too, for a command line that could not be read.
bool asks_for_json(const std::vector<std::string>& words) {
  for (const auto& word : words) {
    if (word == "--json") return true;
    if (word == "--") break;
  }
  return false;
}

// Where to read on, unless the error says what to do.
Error with_help(Error error, std::string where) {
  return error.hint().empty() ? std::move(error).hint(std::move(where)) : std::move(error);
}

Status parse(const std::vector<std::string>& words, CommandLine& line) {
  auto leading = parse_arguments(leading_flags(), Options::before_words, words);
  if (!leading) return fail(with_help(std::move(leading).error(), "usvc help"));
  line.leading = std::move(*leading);
  std::vector<std::string> rest = std::exchange(line.leading.words, {});
  if (rest.empty()) return {};
  line.called_as = rest.front();
  line.command = find_command_named(line.called_as);
  if (line.command == nullptr) return fail(unknown_command(line.called_as));
  rest.erase(rest.begin());
  if (line.command->run == command::signal) rest = signal_last(std::move(rest));

  auto flags = line.command->flags == nullptr ? std::vector<Flag>() : line.command->flags();
  for (const auto& flag : leading_flags()) {
    if (flag.name != "--version") flags.push_back(flag);
  }
  auto arguments = parse_arguments(flags, line.command->options, rest);
  if (!arguments) {
    return fail(with_help(std::move(arguments).error(), "usvc help " + std::string(line.command->name)));
  }
  line.arguments = std::move(*arguments);
  return {};
}

Status check_root(const CommandLine& line) {
  if (::geteuid() != 0 || line.has("--allow-root")) return {};
  const char* allowed = std::getenv("USVC_ALLOW_ROOT");
  if (allowed != nullptr && std::string_view(allowed) == "1") return {};
  return fail(Error("usvc is for ordinary users and does not run as root").hint("--allow-root or USVC_ALLOW_ROOT=1"));
}

// Those given for all commands, and the instance by the name it has from everywhere.
std::vector<std::string> common_options(const CommandLine& line, const Context& context) {
  std::vector<std::string> words;
  if (context.home) words = {"--home", *context.home};
  for (const char* name : {"--json", "--quiet", "--allow-root"}) {
    if (line.has(name)) words.emplace_back(name);
  }
  if (const auto color = line.value("--color")) words.insert(words.end(), {"--color", *color});
  return words;
}

// Taken out of the environment at once, so that no job and no instance is started with it.
std::optional<std::size_t> take_console_rows() {
  const char* text = std::getenv(console_variable);
  if (text == nullptr) return std::nullopt;
  const auto rows = parse_integer<std::size_t>(text).value_or(0);
  ::unsetenv(console_variable);
  return rows;
}

Result<Context> context_of(const CommandLine& line) {
  Context context;
  context.console_rows = take_console_rows();
  context.json = line.has("--json");
  context.quiet = line.has("--quiet");
  auto wish = parse_color_wish(line.value("--color").value_or("auto"));
  if (!wish) return pass(wish);
  context.out = Terminal::on(STDOUT_FILENO, *wish);
  context.err = Terminal::on(STDERR_FILENO, *wish);

  if (auto status = choose_instance(context, line.value("--home")); !status) return pass(status);
  context.common = common_options(line, context);
  if (context.console_rows && *context.console_rows > 0) {
    context.out = Terminal(context.out.is_tty(), context.out.colors(), context.out.width(), context.console_rows);
  }
  return context;
}

Result<int> run_parsed(const CommandLine& line) {
  if (line.leading.has("--version")) {
    const json::object version = {{"version", USVC_VERSION}};
    auto status = line.has("--json") ? print_json(json::value(version)) : print("usvc " USVC_VERSION "\n");
    if (!status) return pass(status);
    return 0;
  }
  if (line.command == nullptr || line.has("--help")) {
    if (auto status = show_help(line.command, line.has("--json")); !status) return pass(status);
    return 0;
  }
  const bool harmless = line.command->run == command::help || line.command->run == command::complete;
  if (!harmless) {
    if (auto status = check_root(line); !status) return pass(status);
  }
  auto context = context_of(line);
  if (!context) return pass(context);
  return line.command->run(Invocation{*context, line.arguments, line.called_as});
}

}  // namespace

int run_command_line(const std::vector<std::string>& words) {
  CommandLine line;
  auto parsed = parse(words, line);
  auto status = parsed ? run_parsed(line) : Result<int>(pass(parsed));
  if (status) return *status;
  complain(status.error().message());
  if (parsed ? line.has("--json") : asks_for_json(words)) (void)print_json(error_reply(status.error()));
  return exit_status_of(status.error().kind());
}

}  // namespace usvc
