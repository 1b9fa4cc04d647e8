#include "cli/caller.h"

#include <fmt/core.h>
#include <pwd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>

#include "base/text.h"
#include "job/env_file.h"
#include "job/limits.h"
#include "proc/limits.h"

namespace usvc {

namespace {

bool names_here(const std::string& path) {
  if (!path.starts_with('/')) return false;
  for (const auto part : split(path, '/')) {
    if (part == "." || part == "..") return false;
  }
  struct stat there {};
  struct stat here {};
  return ::stat(path.c_str(), &there) == 0 && ::stat(".", &here) == 0 && there.st_dev == here.st_dev &&
         there.st_ino == here.st_ino;
}

}  // namespace

Result<std::string> caller_directory() {
  const char* logical = std::getenv("PWD");
  if (logical != nullptr && names_here(logical)) return std::string(logical);
  std::string path(PATH_MAX, '\0');
  if (::getcwd(path.data(), path.size()) == nullptr) return fail(Error::last("the current directory"));
  path.resize(path.find('\0'));
  return path;
}

std::vector<EntryView> caller_settings() {
  std::vector<EntryView> entries;
  // There is no way to read the umask but to set it.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  entries.push_back({"umask", fmt::format("{:04o}", mask)});
  errno = 0;
  const int nice = ::getpriority(PRIO_PROCESS, 0);
  if (errno == 0) entries.push_back({"nice", std::to_string(nice)});
  for (const auto& limit : own_limits()) entries.push_back({"limit", format_limit(limit)});
  return entries;
}

std::vector<std::string> caller_environment() {
  std::vector<std::string> environment;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    if (std::string_view(*variable).find('=') != std::string_view::npos) environment.emplace_back(*variable);
  }
  return environment;
}

std::string user_name() {
  const passwd* user = ::getpwuid(::geteuid());
  return user != nullptr ? user->pw_name : std::to_string(::geteuid());
}

Result<std::vector<std::string>> parse_env_file(std::string_view text, const std::string& file) {
  std::vector<std::string> assignments;
  for (auto& line : read_env_file(text)) {
    const std::string place = fmt::format("{}:{}", file, line.number);
    if (line.no_assignment) return fail(Error(place + ": this line is no K=V").hint("comments begin with #"));
    if (!line.wrong.empty()) return fail(place + ": " + line.wrong);
    assignments.push_back(std::move(line.assignment));
  }
  return assignments;
}

}  // namespace usvc
