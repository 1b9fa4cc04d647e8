// ~TOKEN in hooks and arguments: replaced once and for all, and nothing else is touched.
#include "job/substitute.h"

#include <algorithm>
#include <array>

#include "fuzz.h"

namespace {
using namespace usvc;
using fuzz::must;
}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  Facts facts;
  facts.exit_status = 137;
  facts.job_name = "web-1";
  facts.hostname = "box-1";
  facts.run_length = std::chrono::seconds(90);
  facts.deaths = 4;
  const std::array<std::string, 5> values = {"137", "web-1", "box-1", "90", "4"};

  const std::string argument = substitute_argument(text, facts);
  must(argument == text || (text.starts_with('~') && std::ranges::find(values, argument) != values.end()),
       "an argument is a token or stays", argument);
  const std::string hook = substitute_hook(text, facts);
  if (text.find('~') == std::string_view::npos) must(hook == text, "without ~ nothing is replaced", hook);
  must(substitute_hook(hook, facts) == hook, "what was put in is not looked at again", hook);
  if (argument != text) must(hook == argument, "a token alone means the same in a hook", hook);
  must(substitute_hook(std::string(text) + ";~DEATHS", facts) == hook + ";4", "what follows is independent", hook);
  return 0;
}
