#include "base/lookup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/files.h"
#include "base/text.h"

namespace usvc {

namespace {

// A path as it is, a mere word in quotes.
Error cannot(std::string_view word, const std::string& why) {
  const std::string shown = printable(word);
  const bool path = word.find('/') != std::string_view::npos;
  return Error("cannot start " + (path ? shell_quote(shown) : "'" + shown + "'") + ": " + why);
}

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

// A path from `cwd`, without the "." parts that mean nothing.
std::string absolute(std::string_view path, const std::string& cwd) {
  std::string out = path.starts_with('/') ? "" : (cwd == "/" ? "" : cwd);
  for (const auto part : split(path, '/')) {
    if (part.empty() || part == ".") continue;
    out.append("/").append(part);
  }
  return out.empty() ? "/" : out;
}

std::string beginning_of(const std::string& path) {
  const auto file = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);  // a FIFO's other end may never come
  std::array<char, 256> bytes;
  const ssize_t got = file ? ::read(file->get(), bytes.data(), bytes.size()) : 0;
  return {bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

Status check_program(const std::string& path, std::string_view word) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return fail(Error::last("cannot start " + shell_quote(printable(word))));
  const std::string shown = shell_quote(printable(word));
  if (S_ISDIR(info.st_mode)) return fail(cannot(word, "it is a directory"));
  if (!S_ISREG(info.st_mode)) return fail(cannot(word, "it is no plain file"));
  if (::access(path.c_str(), X_OK) != 0) {
    return fail(cannot(word, "Permission denied").hint(mode_hint(path, std::string(word))));
  }
  if (auto trouble = script_trouble(beginning_of(path), shown)) {
    return fail(cannot(word, trouble->bare_message()).hint(trouble->hint()));
  }
  return {};
}

Result<std::string> find_in_path(std::string_view word, const std::string& cwd, const std::string& path) {
  std::string forbidden;
  for (const auto dir : split(path, ':')) {
    std::string candidate = absolute(std::string(dir.empty() ? "." : dir) + "/" + std::string(word), cwd);
    if (!is_file(candidate)) continue;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    if (forbidden.empty()) forbidden = candidate;
  }
  if (!forbidden.empty()) {
    return fail(cannot(word, forbidden + ": Permission denied").hint(mode_hint(forbidden, forbidden)));
  }
  Error error = cannot(word, "command not found");
  if (!is_file(absolute(word, cwd))) return fail(std::move(error));
  const std::string here = "./" + shell_quote(printable(word));
  return fail(std::move(error).hint(here + " exists; start it as " + here));
}

}  // namespace

std::string search_path_of(const std::vector<std::string>& env) {
  constexpr std::string_view variable = "PATH=";
  const auto found =
      std::find_if(env.rbegin(), env.rend(), [&](const auto& assignment) { return assignment.starts_with(variable); });
  return found == env.rend() ? default_path : found->substr(variable.size());
}

std::optional<Error> script_trouble(std::string_view beginning, const std::string& word) {
  if (!beginning.starts_with("#!")) return std::nullopt;
  beginning.remove_prefix(2);
  const auto line = beginning.substr(0, beginning.find('\n'));
  if (line.ends_with('\r')) {
    return Error("its first line ends as on Windows, so its interpreter is not found")
        .hint("sed -i 's/\\r$//' " + word);
  }
  const auto text = trim(line);
  const std::string interpreter(text.substr(0, text.find_first_of(" \t")));
  if (interpreter.empty()) return Error("its first line names no interpreter").hint("#!/bin/sh, for example");
  if (::access(interpreter.c_str(), F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) {
    return Error("its interpreter " + printable(interpreter) + " does not exist").hint("see its first line");
  }
  return std::nullopt;
}

std::string mode_hint(const std::string& path, const std::string& word) {
  const std::string beginning = beginning_of(path);
  const bool program = beginning.starts_with("#!") || beginning.starts_with(
                                                          "\x7f"
                                                          "ELF");
  return program ? "chmod +x " + shell_quote(printable(word)) : "";
}

Result<std::string> find_command(std::string_view word, const std::string& cwd, const std::string& path) {
  if (word.empty()) return fail(cannot(word, "the command is empty").as(ErrorKind::usage));
  std::string found;
  if (word.find('/') != std::string_view::npos) {
    found = absolute(word, cwd);
  } else {
    auto in_path = find_in_path(word, cwd, path);
    if (!in_path) return in_path;
    found = std::move(*in_path);
  }
  if (auto status = check_program(found, word); !status) return pass(status);
  return found;
}

}  // namespace usvc
