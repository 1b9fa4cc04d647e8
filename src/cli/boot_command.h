// The command that starts this instance with the machine, and how it is written in a systemd unit and in a crontab.
// Pure text work.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace usvc {

struct BootCommand {
  std::string program;              // of usvc, absolute
  std::optional<std::string> home;  // of an instance with a USVC_HOME of its own
  bool allow_root = false;
  // What decides where files are and is not the same at boot: XDG_STATE_HOME and the like.
  std::vector<std::pair<std::string, std::string>> variables;
  // By which instances without a home of their own are told apart: what XDG_STATE_HOME is, and where it is not set.
  std::string state_dir = {};
  std::string usual_state_dir = {};
};

// usvc.service; usvc-DIR.service, DIR as systemd escapes paths, for an instance with a home of its own.
std::string unit_name(const BootCommand& command);
std::string unit_text(const BootCommand& command);

// A crontab with our line in it in place of an older one, or without it; all other lines stay as they are. Only a line
// that ends in our mark and has this instance's directory is ours.
std::string with_cron_line(std::string_view crontab, const BootCommand& command);
std::string without_cron_line(std::string_view crontab, const BootCommand& command);
bool has_cron_line(std::string_view crontab, const BootCommand& command);

// Neither a unit nor a crontab can hold a newline.
Status check_boot_command(const BootCommand& command);

}  // namespace usvc
