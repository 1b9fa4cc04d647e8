// From a conf to a process: terminal or pipe, log, environment, card; then the keeper makes it.
#pragma once

#include "manager/instance.h"
#include "manager/job.h"

namespace usvc {

struct Launched {
  Run run;
  Fd status;  // the manager's end of the child's status socket
};

// A child that waits to be let go. The error says what failed and, for limits that were met, how to raise them.
asio::awaitable<Result<Launched>> launch(Instance* instance, std::shared_ptr<Job> job, Phase phase);
// Lets it go; an error when the program could not be executed.
asio::awaitable<Status> let_go(Instance* instance, Fd status, std::string program);

// The program's name for an error of execve, and what to do about it.
Error explain_launch(int step, int error, const std::string& program, const std::string& cwd);

}  // namespace usvc
