// What the job of `usvc run` reads: the very file, pipe or socket that is this command's stdin, so that nothing is
// copied and nothing depends on this command's life; its own end is closed once the job has it. A terminal is not lent:
// a job outlives this command, and would go on taking what is typed to the shell. It is copied, as long as this command
// is in the foreground.
#pragma once

#include <memory>
#include <thread>

#include "base/error.h"
#include "base/fd.h"

namespace usvc {

class RunInput {
 public:
  static Result<std::unique_ptr<RunInput>> create();
  ~RunInput();
  RunInput(const RunInput&) = delete;
  RunInput& operator=(const RunInput&) = delete;
  RunInput(RunInput&&) = delete;
  RunInput& operator=(RunInput&&) = delete;

  [[nodiscard]] FdRef lent() const;
  // The job has it.
  Status hand_over();

 private:
  RunInput() = default;
  void copy_terminal();
  [[nodiscard]] bool wait_for_line() const;

  Fd pipe_out_;  // where stdin is a terminal
  Fd pipe_in_;
  Fd over_;  // an eventfd: readable when the copying is to end
  std::jthread copier_;
};

}  // namespace usvc
