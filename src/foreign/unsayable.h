// What another program's format has no words for.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "foreign/export.h"

namespace usvc::foreign {

// Names each key of the conf that is not as by default and none of `sayable`. `format` is what it is written for.
void tell_unsayable(const Conf& conf, std::span<const std::string_view> sayable, std::string_view format,
                    std::vector<Remark>& remarks);
void leave_out(const Conf& conf, std::string_view why, std::vector<Remark>& remarks);
// Tells about ~TOKEN in arguments, which only usvc replaces.
void tell_tokens(const Conf& conf, std::vector<Remark>& remarks);
// The same about a hook, in which they may be anywhere; for formats that have hooks.
void tell_hook_tokens(const Conf& conf, std::vector<Remark>& remarks);
// Whether what it runs, where and with which variables is text.
bool is_all_utf8(const Saved& job);
// Takes out the variables whose names neither a shell nor systemd takes.
void drop_odd_variables(Saved& job, std::vector<Remark>& remarks);
// The program and its arguments as a line for a shell; with what has to stand in front of it.
std::string shell_line(const Saved& job);
bool has_line_end(const Saved& job);

Exported export_procfile(const std::vector<Saved>& set, const std::string& directory);
Exported export_systemd(const std::vector<Saved>& set);
Exported export_compose(const std::vector<Saved>& set);

}  // namespace usvc::foreign
