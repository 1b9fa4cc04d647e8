#include "base/program.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

namespace usvc {

namespace {

struct FileActions {
  posix_spawn_file_actions_t value{};
  FileActions() { ::posix_spawn_file_actions_init(&value); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&value); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
};
struct Attributes {
  posix_spawnattr_t value{};
  Attributes() { ::posix_spawnattr_init(&value); }
  ~Attributes() { ::posix_spawnattr_destroy(&value); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

void set_attributes(Attributes& attributes, const SpawnOptions& options) {
  sigset_t all;
  sigfillset(&all);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigdefault(&attributes.value, &all);
  ::posix_spawnattr_setsigmask(&attributes.value, &none);
  int flags = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  if (options.own_session) flags |= POSIX_SPAWN_SETSID;
  if (options.foreground_of >= 0) flags |= POSIX_SPAWN_SETPGROUP;  // to one of its own, unless set otherwise
  ::posix_spawnattr_setflags(&attributes.value, static_cast<short>(flags));
}

std::string_view variable_name(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

std::vector<std::string> merged_environment(const std::vector<std::string>& added) {
  std::vector<std::string> merged = added;
  for (char** variable = ::environ; *variable != nullptr; ++variable) {
    bool replaced = false;
    for (const auto& other : added) replaced |= variable_name(other) == variable_name(*variable);
    if (!replaced) merged.emplace_back(*variable);
  }
  return merged;
}

}  // namespace

std::vector<char*> argument_pointers(const std::vector<std::string>& strings) {
  std::vector<char*> result;
  result.reserve(strings.size() + 1);
  for (const auto& text : strings) result.push_back(const_cast<char*>(text.c_str()));  // NOLINT: see the header
  result.push_back(nullptr);
  return result;
}

std::string program_beside(std::string_view name) {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string_view self(path.data(), length > 0 ? static_cast<std::size_t>(length) : 0);
  // A program replaced on disk while it runs is shown so; its directory is the same.
  return std::string(self.substr(0, self.rfind('/') + 1)) + std::string(name);
}

Fd out_of_the_way(FdRef program) {
  constexpr int above_all_given = 10;
  return try_duplicate(program, above_all_given);
}

std::string open_program_path(FdRef program) {
  return "/proc/self/fd/" + std::to_string(program.get());
}

Error execute_program(FdRef program, const std::vector<std::string>& args) {
  ::fexecve(program.get(), argument_pointers(args).data(), ::environ);
  // A script: its interpreter must find it open.
  if (errno == ENOENT && ::fcntl(program.get(), F_SETFD, 0) == 0) {
    ::fexecve(program.get(), argument_pointers(args).data(), ::environ);
  }
  Error error = Error::last("cannot execute " + args.front());
  (void)::fcntl(program.get(), F_SETFD, FD_CLOEXEC);
  return error;
}

Result<ChildProgram> spawn_program(const std::vector<std::string>& args, const std::vector<InheritedFd>& fds,
                                   const SpawnOptions& options) {
  FileActions actions;
  for (const auto& inherited : fds) {
    // The same number on both sides makes glibc clear O_CLOEXEC, which is what is wanted.
    ::posix_spawn_file_actions_adddup2(&actions.value, inherited.fd.get(), inherited.as);
  }
  Attributes attributes;
  set_attributes(attributes, options);
  if (options.foreground_of >= 0) {
    // By the child itself, before it executes: from its first instruction on it may read the terminal.
    ::posix_spawn_file_actions_addtcsetpgrp_np(&actions.value, options.foreground_of);
  }
  if (!options.cwd.empty()) ::posix_spawn_file_actions_addchdir_np(&actions.value, options.cwd.c_str());
  const std::vector<std::string> environment = merged_environment(options.env);
  pid_t pid = 0;
  const std::string& program = options.program.empty() ? args.front() : options.program;
  const int error = ::posix_spawnp(&pid, program.c_str(), &actions.value, &attributes.value,
                                   argument_pointers(args).data(), argument_pointers(environment).data());
  if (error != 0) return fail(Error::from_errno(error, "cannot execute " + args.front()));
  // Not reaped yet, so the pid is its own.
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  if (!pidfd) return fail(Error::last("cannot watch " + args.front()));
  return ChildProgram{.pid = pid, .pidfd = std::move(pidfd)};
}

}  // namespace usvc
