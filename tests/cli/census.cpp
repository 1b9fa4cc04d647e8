#include "cli/census.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>

#include "base/fd.h"

namespace usvc::test {

namespace fs = std::filesystem;

namespace {

std::string link_target(const fs::path& path) {
  std::error_code error;
  return fs::read_symlink(path, error).string();
}

bool holds_file_in(const std::string& proc, const std::string& directory) {
  std::error_code error;
  for (fs::directory_iterator it(proc + "/fd", error), end; !error && it != end; it.increment(error)) {
    if (link_target(it->path()).find(directory) != std::string::npos) return true;
  }
  return false;
}

Process read_process(pid_t pid) {
  const std::string proc = "/proc/" + std::to_string(pid);
  Process process;
  process.pid = pid;
  const std::string stat = content(proc + "/stat");
  const auto close = stat.rfind(')');  // the name before it may hold anything
  if (close != std::string::npos && close + 4 < stat.size()) {
    process.state = stat[close + 2];
    process.parent = static_cast<pid_t>(std::stol(stat.substr(close + 4)));
  }
  process.executable = link_target(proc + "/exe");
  process.command = content(proc + "/cmdline");
  std::replace(process.command.begin(), process.command.end(), '\0', ' ');
  return process;
}

bool belongs(const Process& process, const std::string& directory) {
  const std::string proc = "/proc/" + std::to_string(process.pid);
  const auto names_it = [&](const std::string& text) { return text.find(directory) != std::string::npos; };
  return names_it(process.executable) || names_it(process.command) || names_it(content(proc + "/environ")) ||
         names_it(link_target(proc + "/cwd")) || holds_file_in(proc, directory);
}

}  // namespace

std::string content(const std::string& path) {
  std::string text;
  const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = file ? ::read(file.get(), buffer.data(), buffer.size()) : 0;
    if (got <= 0) return text;  // its end, or that of the process it tells of
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

std::string Process::text() const {
  return std::to_string(pid) + " (parent " + std::to_string(parent) + ", " + state + ") " + executable + ": " + command;
}

char state_of(pid_t pid) {
  const std::string stat = content("/proc/" + std::to_string(pid) + "/stat");
  const auto close = stat.rfind(')');
  return close == std::string::npos ? '-' : stat[close + 2];
}

bool alive(pid_t pid) {
  const char state = state_of(pid);
  return state != '-' && state != 'Z' && state != 'X';
}

std::vector<Process> processes_of(const std::string& directory) {
  std::vector<Process> found;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename();
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isdigit(c) != 0; })) continue;
    const auto pid = static_cast<pid_t>(std::stol(name));
    if (pid == getpid()) continue;
    Process process = read_process(pid);
    if (process.state == 'Z' || process.state == '?') continue;
    if (belongs(process, directory)) found.push_back(std::move(process));
  }
  return found;
}

std::string list(const std::vector<Process>& processes) {
  std::string text;
  for (const auto& process : processes) text += "  " + process.text() + "\n";
  return text;
}

std::string list(const std::vector<pid_t>& pids) {
  std::string text;
  for (const pid_t pid : pids) text += "  " + read_process(pid).text() + "\n";
  return text;
}

}  // namespace usvc::test
