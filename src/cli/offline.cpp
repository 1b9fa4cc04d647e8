#include "cli/offline.h"

#include <unistd.h>

#include <vector>

#include "base/files.h"
#include "base/run_program.h"
#include "base/text.h"
#include "cli/instance.h"

namespace usvc {

Result<Reply> parse_offline_answer(std::string_view text) {
  const auto newline = text.find('\n');
  const auto status = parse_number(text.substr(0, newline));
  if (newline == std::string_view::npos || !status || *status < 100 || *status > 599) {
    return fail("usvc-manager --offline gave no answer", ErrorKind::unreachable);
  }
  return Reply{static_cast<unsigned>(*status), std::string(text.substr(newline + 1))};
}

Result<Reply> ask_offline(const Context& context, std::string_view method, const std::string& target,
                          const std::string& body) {
  auto program = helper_program("usvc-manager");
  if (!program) return pass(program);
  std::vector<std::string> words = {*program, "--offline"};
  if (context.home) words.insert(words.end(), {"--home", *context.home});
  words.insert(words.end(), {std::string(method), target});
  if (!body.empty()) words.push_back(body);
  auto output = run_program(words);
  if (!output) return fail(std::move(output).error().as(ErrorKind::unreachable));
  (void)write_all(FdRef(STDERR_FILENO), output->err);
  return parse_offline_answer(output->out);
}

}  // namespace usvc
