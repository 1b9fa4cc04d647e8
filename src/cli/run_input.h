// What the job of `usvc run` reads: the very file, pipe or socket that is this command's stdin, so that nothing is
// copied and nothing depends on this command's life; its own end is closed once the job has it. A terminal is not lent:
// a job outlives this command, and would go on taking what is typed to the shell. It is copied, as long as this command
// is in the foreground.
#pragma once

#include <memory>

#include "base/error.h"
#include "base/fd.h"
#include "cli/background_task.h"

namespace usvc {

class RunInput {
 public:
  static Result<std::unique_ptr<RunInput>> create();
  ~RunInput() = default;
  RunInput(const RunInput&) = delete;
  RunInput& operator=(const RunInput&) = delete;
  RunInput(RunInput&&) = delete;
  RunInput& operator=(RunInput&&) = delete;

  [[nodiscard]] FdRef lent() const;
  // The job has it.
  Status hand_over();
  // Can be read when no more will be copied, for whatever reason, until outcome() was asked; -1: that is never so.
  [[nodiscard]] FdRef over() const;
  // Whether what is copied goes well, so far.
  Status outcome();

 private:
  RunInput() = default;
  Status copy_terminal(FdRef given_up);
  [[nodiscard]] bool wait_for_line(FdRef given_up) const;

  Fd terminal_;  // where stdin is one
  Fd pipe_out_;
  Fd pipe_in_;
  std::unique_ptr<BackgroundTask<void>> copier_;
  bool told_ = false;
};

}  // namespace usvc
