// What holds for a whole invocation: where the instance lives, and how to speak to the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/terminal.h"
#include "job/layout.h"

namespace usvc {

// By which the console tells its commands that they are.
inline constexpr const char* console_variable = "USVC_CONSOLE";

struct Context {
  Layout layout;
  std::optional<std::string> home;  // DIR of --home or USVC_HOME, absolute; none: XDG directories
  bool json = false;
  bool quiet = false;
  std::vector<std::string> common;  // the options for every command, as given: for a usvc that this one starts
  // Set: this is a command of the console's (console_variable). How many of the terminal's rows it may have; 0: all.
  std::optional<std::size_t> console_rows;
  bool has_cgroup = false;  // we are a systemd unit: its cgroup is the instance's to divide
  Terminal out = Terminal(false, false, std::nullopt);
  Terminal err = Terminal(false, false, std::nullopt);
};

// Has it speak of the instance under `home`; none: of that of USVC_HOME, or of the XDG directories.
Status choose_instance(Context& context, const std::optional<std::string>& home);

// To stdout, in one write.
Status print(std::string_view text);
// For whoever may have nothing to print for hours: where nobody reads stdout any more it ends as the next print() would
// end it.
Status end_without_reader();
// A line to stderr after "usvc: ".
void complain(std::string_view message);
// A line to stdout unless -q was given or a JSON document is expected there.
Status say(const Context& context, std::string_view line);

}  // namespace usvc
