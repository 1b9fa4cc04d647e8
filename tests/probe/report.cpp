// What this process was given by whoever started it, as one JSON object.
#include <dirent.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdlib>
#include <fstream>
#include <string>

#include "probe.h"

namespace probe {

namespace {

struct Limit {
  std::string_view name;
  int number;
};
constexpr std::array limits{
    Limit{"as", RLIMIT_AS},
    Limit{"core", RLIMIT_CORE},
    Limit{"cpu", RLIMIT_CPU},
    Limit{"data", RLIMIT_DATA},
    Limit{"fsize", RLIMIT_FSIZE},
    Limit{"memlock", RLIMIT_MEMLOCK},
    Limit{"msgqueue", RLIMIT_MSGQUEUE},
    Limit{"nice", RLIMIT_NICE},
    Limit{"nofile", RLIMIT_NOFILE},
    Limit{"nproc", RLIMIT_NPROC},
    Limit{"rss", RLIMIT_RSS},
    Limit{"rtprio", RLIMIT_RTPRIO},
    Limit{"rttime", RLIMIT_RTTIME},
    Limit{"sigpending", RLIMIT_SIGPENDING},
    Limit{"stack", RLIMIT_STACK},
};

std::string limit_text(rlim_t value) {
  return value == RLIM_INFINITY ? "-1" : std::to_string(value);
}

std::string limits_object() {
  std::string out;
  for (const auto& row : limits) {
    rlimit value{};
    getrlimit(static_cast<__rlimit_resource>(row.number), &value);
    if (!out.empty()) out += ',';
    out += json_quoted(row.name) + ":[" + limit_text(value.rlim_cur) + "," + limit_text(value.rlim_max) + "]";
  }
  return "{" + out + "}";
}

// A line of /proc/self/status such as SigBlk, as the list of signal numbers in its mask.
std::string signals_in(const std::string& key) {
  std::ifstream status("/proc/self/status");
  std::string out;
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with(key + ":")) continue;
    const unsigned long long mask = std::strtoull(line.c_str() + key.size() + 1, nullptr, 16);
    for (int signal = 1; signal <= 64; ++signal) {
      if ((mask >> static_cast<unsigned>(signal - 1) & 1U) == 0) continue;
      if (!out.empty()) out += ',';
      out += std::to_string(signal);
    }
  }
  return "[" + out + "]";
}

std::string descriptors() {
  DIR* directory = opendir("/proc/self/fd");
  if (directory == nullptr) die("opendir");
  std::string out;
  while (const dirent* entry = readdir(directory)) {
    const std::string name = entry->d_name;
    if (name.starts_with(".") || std::atoi(name.c_str()) == dirfd(directory)) continue;
    std::array<char, PATH_MAX> target{};
    const ssize_t size = readlink(("/proc/self/fd/" + name).c_str(), target.data(), target.size() - 1);
    if (!out.empty()) out += ',';
    out += json_quoted(name) + ":" + json_quoted({target.data(), static_cast<std::size_t>(size < 0 ? 0 : size)});
  }
  closedir(directory);
  return "{" + out + "}";
}

std::string truth(bool value) {
  return value ? "true" : "false";
}

std::string terminal() {
  const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
  if (tty < 0) return "null";
  termios settings{};
  winsize size{};
  tcgetattr(tty, &settings);
  ioctl(tty, TIOCGWINSZ, &size);
  std::string out = "{\"opost\":" + truth((settings.c_oflag & OPOST) != 0) +
                    ",\"onlcr\":" + truth((settings.c_oflag & ONLCR) != 0) +
                    ",\"foreground\":" + truth(tcgetpgrp(tty) == getpgrp()) +
                    ",\"rows\":" + std::to_string(size.ws_row) + ",\"columns\":" + std::to_string(size.ws_col) + "}";
  close(tty);
  return out;
}

mode_t current_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

}  // namespace

void report() {
  const std::string open_descriptors = descriptors();  // before anything here opens one
  std::array<char, PATH_MAX> cwd{};
  if (getcwd(cwd.data(), cwd.size()) == nullptr) die("getcwd");
  std::string out = "{\"cwd\":" + json_quoted(cwd.data());
  const auto add = [&](std::string_view key, const std::string& value) { out += "," + json_quoted(key) + ":" + value; };
  add("umask", std::to_string(current_umask()));
  add("nice", std::to_string(getpriority(PRIO_PROCESS, 0)));
  add("uid", std::to_string(getuid()));
  add("gid", std::to_string(getgid()));
  add("pid", std::to_string(getpid()));
  add("ppid", std::to_string(getppid()));
  add("sid", std::to_string(getsid(0)));
  add("pgid", std::to_string(getpgrp()));
  add("isatty", "[" + truth(isatty(0) == 1) + "," + truth(isatty(1) == 1) + "," + truth(isatty(2) == 1) + "]");
  add("terminal", terminal());
  add("blocked", signals_in("SigBlk"));
  add("ignored", signals_in("SigIgn"));
  add("fds", open_descriptors);
  add("limits", limits_object());
  say(out + "}");
}

}  // namespace probe
