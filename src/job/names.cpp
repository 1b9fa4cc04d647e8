#include "job/names.h"

#include <algorithm>

#include "base/text.h"

namespace usvc {
namespace {

// Leaves room for "-" and seven digits.
constexpr std::size_t longest_made_group = 56;

constexpr bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

Status check_name(std::string_view name, const std::string& kind) {
  const auto wrong = [&](const std::string& why, std::string hint) -> Status {
    return fail(
        Error("'" + printable(name) + "' is no " + kind + " name: " + why, ErrorKind::usage).hint(std::move(hint)));
  };
  const std::string allowed =
      "letters, digits, '.', '-' and '_', at most " + std::to_string(longest_name) + ", not beginning with '-' or '.'";
  if (name.empty()) return wrong("it is empty", allowed);
  if (name.size() > longest_name) return wrong("it has " + std::to_string(name.size()) + " characters", allowed);
  if (name[0] == '-' || name[0] == '.') return wrong(std::string("it begins with '") + name[0] + "'", allowed);
  const auto* bad = std::find_if_not(name.begin(), name.end(), is_name_char);
  if (bad != name.end()) {
    // The whole of a character that takes several bytes, so that it is shown as what was typed.
    const auto at = static_cast<std::size_t>(bad - name.begin());
    std::size_t end = at + 1;
    while (end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0U) == 0x80) ++end;
    return wrong("it has a '" + printable(name.substr(at, end - at)) + "' in it", allowed);
  }
  if (is_reserved(name)) return wrong("the word is reserved", "choose another");
  return {};
}

}  // namespace

bool is_reserved(std::string_view name) {
  return std::find(reserved_names.begin(), reserved_names.end(), name) != reserved_names.end();
}

Status check_job_name(std::string_view name) {
  return check_name(name, "job");
}

Status check_group_name(std::string_view group) {
  return check_name(group, "group");
}

Status check_assignment(std::string_view text) {
  const auto equals = text.find('=');
  const bool nul = text.find('\0') != std::string_view::npos;
  if (equals != std::string_view::npos && equals > 0 && !nul) return {};
  return fail(Error("'" + printable(text) + "' sets no variable", ErrorKind::usage)
                  .hint(nul ? "NAME=VALUE, without a NUL byte" : "NAME=VALUE"));
}

std::string group_from_command(std::string_view command) {
  while (command.ends_with('/')) command.remove_suffix(1);
  std::string group(command.substr(command.find_last_of('/') + 1));  // npos + 1 is 0
  std::replace_if(
      group.begin(), group.end(), [](char c) { return !is_name_char(c); }, '-');
  group.erase(0, std::min(group.find_first_not_of("-."), group.size()));
  group.resize(std::min(group.size(), longest_made_group));
  if (group.empty()) return "job";
  return is_reserved(group) ? group + "-job" : group;
}

std::string member_name(std::string_view group, int number) {
  return std::string(group) + "-" + std::to_string(number);
}

int lowest_free(std::string_view group, const std::set<std::string, std::less<>>& names) {
  int number = 1;
  while (names.contains(member_name(group, number))) ++number;
  return number;
}

}  // namespace usvc
