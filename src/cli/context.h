// What holds for a whole invocation: where the instance lives, and how to speak to the caller.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/terminal.h"
#include "job/layout.h"

namespace usvc {

struct Context {
  Layout layout;
  std::optional<std::string> home;  // DIR of --home or USVC_HOME, absolute; none: XDG directories
  bool json = false;
  bool quiet = false;
  bool has_cgroup = false;  // we are a systemd unit: its cgroup is the instance's to divide
  Terminal out = Terminal(false, false, std::nullopt);
  Terminal err = Terminal(false, false, std::nullopt);
};

// To stdout, in one write.
Status print(std::string_view text);
// A line to stderr after "usvc: ".
void complain(std::string_view message);
// A line to stdout unless -q was given or a JSON document is expected there.
Status say(const Context& context, std::string_view line);

}  // namespace usvc
