// Commands of usvc's own that run beside a screen which goes on: their output is kept, and their end is waited for with
// whatever else there is.
#pragma once

#include <poll.h>

#include <deque>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "base/program.h"
#include "cli/context.h"
#include "terminal/top/controls.h"

namespace usvc {

// The words of a usvc command line for the same instance: usvc WORD….
std::vector<std::string> usvc_words(const Context& context, const std::vector<std::string>& words);
// What such a child has in its environment besides ours.
std::vector<std::string> usvc_environment();

struct TaskEnd {
  top::Request request;
  int status = 0;  // as a shell has it
  std::string out;
  std::string err;
};

class Tasks {
 public:
  // More than this wait for others to end.
  static constexpr std::size_t most_at_once = 8;

  explicit Tasks(const Context& context) : context_(&context) {}

  // usvc WORD…, in a session of its own: no key of the terminal reaches it, and it goes on if we end.
  void add(top::Request request, std::vector<std::string> words);
  // Starts those whose turn it is, and takes what has ended.
  std::vector<TaskEnd> take();
  // Descriptors that can be read when one has ended.
  void append_to(std::vector<pollfd>& fds) const;
  [[nodiscard]] std::size_t count() const { return waiting_.size() + running_.size(); }

 private:
  struct Waiting {
    top::Request request;
    std::vector<std::string> words;
  };
  struct Running {
    top::Request request;
    ChildProgram child;
    Fd out;
    Fd err;
  };
  Result<Running> start(Waiting task);

  const Context* context_;
  std::deque<Waiting> waiting_;
  std::vector<Running> running_;
};

}  // namespace usvc
