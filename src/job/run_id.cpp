#include "job/run_id.h"

#include "base/text.h"
#include "job/names.h"

namespace usvc {
namespace {

constexpr std::size_t tag_length = 8;

bool is_tag(std::string_view text) {
  return text.size() == tag_length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// 0 for what is no run number; they count from 1 and are written one way only.
std::uint64_t run_number(std::string_view text) {
  return text.starts_with('0') ? 0 : parse_integer<std::uint64_t>(text).value_or(0);
}

}  // namespace

std::string make_run_id(std::string_view name, std::uint64_t number, std::string_view tag) {
  return std::string(name) + "." + std::to_string(number) + "." + std::string(tag);
}

Result<RunId> parse_run_id(std::string_view text) {
  const auto wrong = [&] {
    return fail(Error("'" + printable(text) + "' is not a run id", ErrorKind::usage)
                    .hint("NAME.NUMBER.TAG, as in events and status --json"));
  };
  const auto last_dot = text.rfind('.');
  if (last_dot == std::string_view::npos) return wrong();
  const std::string_view tag = text.substr(last_dot + 1);
  const std::string_view front = text.substr(0, last_dot);
  const auto number_dot = front.rfind('.');
  if (number_dot == std::string_view::npos || !is_tag(tag)) return wrong();
  const std::string_view name = front.substr(0, number_dot);
  const std::uint64_t number = run_number(front.substr(number_dot + 1));
  if (number == 0 || !check_job_name(name)) return wrong();
  return RunId{std::string(name), number, std::string(tag)};
}

}  // namespace usvc
