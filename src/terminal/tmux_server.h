// Runs tmux for one server, which need not run yet, and ends a server that can't be spoken to.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "terminal/tmux_commands.h"

namespace usvc::tmux {

struct Answer {
  int exit_status = 0;
  std::string output;  // and complaints
  Trouble trouble = Trouble::none;
};

class Server {
 public:
  // `program` is tmux, by its path; `configuration` is read by a server that this starts.
  Server(std::string program, std::string socket, std::string configuration)
      : program_(std::move(program)), socket_(std::move(socket)), configuration_(std::move(configuration)) {}

  // The whole command line that gives tmux a command.
  [[nodiscard]] Words command_line(const Words& command) const;
  // Waits for the answer. An error: it could not be run. A server that does not answer is Trouble::unusable.
  Result<Answer> run(const Words& command) const { return run(command, {}, std::chrono::seconds(10)); }
  // Many commands at once; the error is the first complaint.
  Status run_all(const std::vector<Words>& commands) const;
  // Why an answer is not good; no error for Trouble::none.
  static Status status_of(const Answer& answer);

 private:
  Result<Answer> run(const Words& command, std::string_view input, std::chrono::seconds patience) const;

  std::string program_;
  std::string socket_;
  std::string configuration_;
};

// Ends whatever tmux server listens at this socket, or does not any more, without asking it, and removes the socket.
Status end_server(const std::string& socket);

}  // namespace usvc::tmux
