#include "job/run_id.h"

#include <fmt/core.h>

#include <optional>

#include "base/text.h"
#include "job/names.h"

namespace usvc {
namespace {

// Written in one way only, as the number is.
std::optional<std::uint32_t> parse_nonce(std::string_view text) {
  constexpr std::size_t length = 8;
  if (text.size() != length || text.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  return parse_integer<std::uint32_t>(text, 16);
}

// 0 for what is no run number; they count from 1 and are written one way only.
std::uint64_t run_number(std::string_view text) {
  return text.starts_with('0') ? 0 : parse_integer<std::uint64_t>(text).value_or(0);
}

}  // namespace

std::string make_run_id(std::string_view name, std::uint64_t number, std::uint32_t nonce) {
  return fmt::format("{}.{}.{:08x}", name, number, nonce);
}

Result<RunId> parse_run_id(std::string_view text) {
  const auto wrong = [&] {
    return fail(Error("'" + printable(text) + "' is not a run id", ErrorKind::usage)
                    .hint("NAME.NUMBER.TAG, as usvc --json events shows it"));
  };
  const auto last_dot = text.rfind('.');
  if (last_dot == std::string_view::npos) return wrong();
  const auto nonce = parse_nonce(text.substr(last_dot + 1));
  const std::string_view front = text.substr(0, last_dot);
  const auto number_dot = front.rfind('.');
  if (number_dot == std::string_view::npos || !nonce) return wrong();
  const std::string_view name = front.substr(0, number_dot);
  const std::uint64_t number = run_number(front.substr(number_dot + 1));
  if (number == 0 || !check_job_name(name)) return wrong();
  return RunId{std::string(name), number, *nonce};
}

}  // namespace usvc
