// Puts the output of one job or several on stdout.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/lines.h"
#include "cli/context.h"

namespace usvc {

// How the bytes of logs are shown: untouched where one job's go into a pipe or all of it is wanted raw; as lines, made
// harmless, on a terminal; with the job's name before each where there are several; as JSON objects with --json.
class LogPrinter {
 public:
  LogPrinter(const Context& context, const std::vector<std::string>& names, bool raw);

  // Bytes of the job `index` of those given.
  void add(std::size_t index, std::string_view bytes);
  // The last line of a job that does not end in a newline: nothing more will come of it.
  void finish(std::size_t index);
  // Writes out what has been gathered.
  Status flush();

 private:
  struct Job {
    std::string name;
    std::string prefix;
    LineSplitter lines;
  };
  void add_line(const Job& job, std::string_view line);

  const Context* context_;
  bool raw_;
  std::vector<Job> jobs_;
  std::string out_;
};

}  // namespace usvc
