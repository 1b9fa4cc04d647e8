// What /proc says of processes.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace usvc::test {

// What can be read of a file; nothing when there is none.
std::string content(const std::string& path);

struct Process {
  pid_t pid = 0;
  pid_t parent = 0;
  char state = '?';
  std::string executable;
  std::string command;  // arguments, separated by spaces
  [[nodiscard]] std::string text() const;
};

// Running, which a zombie is not.
bool alive(pid_t pid);
// R S D Z T …; '-' when there is no such process.
char state_of(pid_t pid);
// Every live process that has to do with a directory: its executable lies there, or its environment, an argument, its
// working directory or an open file names it.
std::vector<Process> processes_of(const std::string& directory);
std::string list(const std::vector<Process>& processes);
std::string list(const std::vector<pid_t>& pids);

}  // namespace usvc::test
