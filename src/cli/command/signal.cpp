#include <algorithm>
#include <string>
#include <vector>

#include "base/signals.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "shapes/routes.h"

namespace usvc {

std::vector<std::string> signal_last(std::vector<std::string> words) {
  const auto is_signal_option = [](const std::string& word) {
    return word.size() > 1 && word[0] == '-' && word[1] != '-' && parse_signal(word.substr(1)).has_value();
  };
  const auto found = std::find_if(words.begin(), words.end(), is_signal_option);
  if (found == words.end()) return words;
  std::string name = found->substr(1);
  words.erase(found);
  words.push_back(std::move(name));
  return words;
}

namespace command {

Result<int> signal(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments.words;
  // As kill(1) has it: the signal first.
  if (words.size() > 1 && !parse_signal(words.back()) && parse_signal(words.front())) {
    std::rotate(words.begin(), words.begin() + 1, words.end());
  }
  if (words.size() < 2) {
    return fail(Error("signal needs a SELECTOR and a signal", ErrorKind::usage)
                    .hint("usvc signal web HUP; to end a job: usvc stop web"));
  }
  const auto number = parse_signal(words.back());
  if (!number) return fail(Error(number.error()).as(ErrorKind::usage));
  words.pop_back();

  const std::string name = signal_name(*number);
  SelectRequest request;
  request.selectors = std::move(words);
  request.signal = name;
  auto reply = Remote(invocation.context, NoInstance::refuse, "signal").select(route::signal, std::move(request));
  if (!reply) return pass(reply);
  const std::string done = "got " + name;
  return report(invocation.context, *reply, {"signal", done});
}

}  // namespace command

}  // namespace usvc
