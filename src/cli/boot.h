// Starting the instance with the machine: as a systemd user unit where a user manager runs, else by cron.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "cli/context.h"
#include "shapes/views.h"

namespace usvc {

struct BootSetUp {
  std::string how;                // "systemd unit PATH", "crontab line"
  std::optional<Error> drawback;  // it is set up, and yet does not begin with the machine
  std::optional<Error> remark;    // as it is now it would not; when the machine begins that may be otherwise
};

// Sets it up, in place of what was there for this instance. Under systemd the unit is started as well.
Result<BootSetUp> set_up_boot(const Context& context);
// Removes it, of either kind; what it was, or nothing when there was none. The instance goes on.
Result<std::vector<std::string>> remove_boot(const Context& context);
// "systemd", "cron" or nothing.
std::optional<std::string> boot_kind(const Context& context);
// Whether the user's manager, and with it XDG_RUNTIME_DIR, outlives the last logout; nothing where systemd does not
// run.
std::optional<bool> lingering();
// What turns it on.
std::string enable_lingering_command();
// Whether anybody reads crontabs; nothing where /proc does not tell.
std::optional<bool> cron_runs();
// What mends it; each system has a way of its own.
inline constexpr std::string_view start_cron = "start cron, and have the machine start it";
// There is something here that could start it.
bool boot_is_possible();
// What `vars` shows: what the manager says, and `boot`, which it can't know.
json::object vars_with_boot(const VarsView& vars, const Context& context);

}  // namespace usvc
