// The manager's answers while no instance runs: its program, run for one question, reads what is on disk.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "cli/client.h"
#include "cli/context.h"

namespace usvc {

Result<Reply> ask_offline(const Context& context, std::string_view method, const std::string& target,
                          const std::string& body);

// What the program prints: the HTTP status, a newline, the body.
Result<Reply> parse_offline_answer(std::string_view text);

}  // namespace usvc
