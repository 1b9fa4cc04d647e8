// Starting programs of ours and helpers that are no jobs.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

// The path of `name` in the directory this very program lies in.
std::string program_beside(std::string_view name);

// Replaces this process by an open program; returns only when it can't, with why. `args` as for execv(3).
Error execute_program(FdRef program, const std::vector<std::string>& args);

// What execv(3) and posix_spawn(3) want of arguments, null at the end. They take strings as if they would change them
// and do not; the vector must outlive the call.
std::vector<char*> argument_pointers(const std::vector<std::string>& strings);

struct ChildProgram {
  pid_t pid = 0;
  Fd pidfd;
};
struct InheritedFd {
  FdRef fd;
  int as;  // the number it has in the program
};
// A copy of an open program above the numbers that a child is given others under; none when there are no more.
Fd out_of_the_way(FdRef program);
struct SpawnOptions {
  std::vector<std::string> env;  // added to, and going before, our own
  std::string cwd;               // empty: ours
  bool own_session = true;
  int foreground_of =
      -1;               // a terminal: the program gets a process group of its own, and that the terminal's foreground
  std::string program;  // what is executed instead of args[0]: open_program_path()
};
// The name by which an open program is executed, whatever has become of its file's.
std::string open_program_path(FdRef program);
// Starts args[0] (a path, or looked up in PATH), signals at default, in a session of its own, holding 0, 1, 2 and what
// is listed. The caller reaps.
Result<ChildProgram> spawn_program(const std::vector<std::string>& args, const std::vector<InheritedFd>& fds,
                                   const SpawnOptions& options = {});

}  // namespace usvc
