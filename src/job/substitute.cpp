#include "job/substitute.h"

#include <algorithm>
#include <array>
#include <chrono>

namespace usvc {
namespace {

struct Token {
  std::string_view name;
  std::string (*value)(const Facts&);
};

std::string exit_status(const Facts& facts) {
  return std::to_string(facts.exit_status);
}
std::string job_name(const Facts& facts) {
  return facts.job_name;
}
std::string hostname(const Facts& facts) {
  return facts.hostname;
}
std::string run_length(const Facts& facts) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(facts.run_length).count());
}
std::string deaths(const Facts& facts) {
  return std::to_string(facts.deaths);
}

// Longest first, so that a token which is the beginning of another never wins.
constexpr std::array<Token, 5> tokens{{{"~EXIT_STATUS", exit_status},
                                       {"~RUN_LENGTH", run_length},
                                       {"~JOB_NAME", job_name},
                                       {"~HOSTNAME", hostname},
                                       {"~DEATHS", deaths}}};
static_assert(std::is_sorted(tokens.begin(), tokens.end(),
                             [](const Token& a, const Token& b) { return a.name.size() > b.name.size(); }));

constexpr bool continues_word(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

// The token at the start of `text`, or nullptr.
const Token* token_at(std::string_view text) {
  for (const Token& token : tokens) {
    if (!text.starts_with(token.name)) continue;
    if (text.size() == token.name.size() || !continues_word(text[token.name.size()])) return &token;
  }
  return nullptr;
}

}  // namespace

std::string substitute_argument(std::string_view argument, const Facts& facts) {
  const Token* token = token_at(argument);
  return token != nullptr && token->name == argument ? token->value(facts) : std::string(argument);
}

std::string substitute_hook(std::string_view hook, const Facts& facts) {
  std::string result;
  while (!hook.empty()) {
    const std::size_t plain = std::min(hook.find('~'), hook.size());
    result += hook.substr(0, plain);
    hook.remove_prefix(plain);
    if (hook.empty()) break;
    const Token* token = token_at(hook);
    result += token != nullptr ? token->value(facts) : "~";
    hook.remove_prefix(token != nullptr ? token->name.size() : 1);
  }
  return result;
}

}  // namespace usvc
