#include "base/run_program.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "base/files.h"
#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"

namespace usvc {

namespace {

Result<std::string> content_of(const Fd& file) {
  auto size = file_size(file);
  if (!size) return pass(size);
  return read_at(file, 0, *size);
}

int exit_status_of(int status) {
  constexpr int signal_base = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : signal_base + WTERMSIG(status);
}

}  // namespace

std::string ProgramOutput::complaint() const {
  std::string_view text = trim(err);
  if (const auto newline = text.rfind('\n'); newline != std::string_view::npos) text = text.substr(newline + 1);
  return text.empty() ? "exit status " + std::to_string(status) : printable(text);
}

// Files in memory, not pipes: neither side ever waits for the other.
Result<ProgramOutput> run_program(const std::vector<std::string>& args, std::string_view input) {
  auto in = make_memory_file("input", 0);
  auto out = make_memory_file("output", 0);
  auto err = make_memory_file("errors", 0);
  for (auto* file : {&in, &out, &err}) {
    if (!*file) return pass(*file, "cannot run " + args.front());
  }
  if (auto written = write_all(*in, input); !written) return pass(written, "cannot run " + args.front());
  if (::lseek(in->get(), 0, SEEK_SET) != 0) return fail(Error::last("cannot run " + args.front()));
  SpawnOptions options;
  options.own_session = false;  // it may ask for a password
  auto child = spawn_program(
      args, {{FdRef(*in), STDIN_FILENO}, {FdRef(*out), STDOUT_FILENO}, {FdRef(*err), STDERR_FILENO}}, options);
  if (!child) return pass(child);
  int status = 0;
  while (::waitpid(child->pid, &status, 0) < 0) {
    if (errno != EINTR) return fail(Error::last("cannot wait for " + args.front()));
  }
  auto said = content_of(*out);
  if (!said) return pass(said, args.front());
  auto complained = content_of(*err);
  if (!complained) return pass(complained, args.front());
  return ProgramOutput{.status = exit_status_of(status), .out = std::move(*said), .err = std::move(*complained)};
}

}  // namespace usvc
