// What a test can check from outside whatever was killed: who ran when, and what has been written.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "probe.h"

namespace probe {

namespace {

int open_for(const std::string& path, int flags) {
  const int fd = open(path.c_str(), flags | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) die("cannot open " + path);
  return fd;
}

void note(const std::string& path, const std::string& what) {
  const char* run = std::getenv("USVC_RUN");
  const std::string line = what + " " + std::to_string(getpid()) + " " + (run == nullptr ? "-" : run) + "\n";
  const int fd = open_for(path, O_WRONLY | O_APPEND);
  if (write(fd, line.data(), line.size()) != static_cast<ssize_t>(line.size())) die("cannot write " + path);
  close(fd);
}

std::string base_of(Words words) {
  if (words.size() < 2) die("a directory and a name are needed");
  return std::string(words[0]) + "/" + words[1];
}

}  // namespace

void begin(Words words) {
  const std::string base = base_of(words);
  const int lock = open_for(base + ".lock", O_RDWR);  // kept until this process ends
  if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
    note(base + ".ledger", "refused");
    _exit(97);
  }
  note(base + ".ledger", "begin");
}

void number_lines(Words words) {
  const std::string base = base_of(words);
  const long pause = number(words, 2, 10);
  const long count = number(words, 3, -1);
  const std::string pid = std::to_string(getpid());
  const int counter = open_for(base + "." + pid, O_WRONLY);
  for (long line = 1; count < 0 || line <= count; ++line) {
    const std::string text = std::to_string(line);
    say("line " + pid + " " + text);
    if (pwrite(counter, text.data(), text.size(), 0) < 0) die("cannot count the lines");
    if (pause > 0) nap(pause);
  }
  close(counter);
}

}  // namespace probe
