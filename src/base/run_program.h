// Runs a small program of the system's to its end and has what it wrote.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace usvc {

struct ProgramOutput {
  int status = 0;  // its exit status, 128+N for signal N
  std::string out;
  std::string err;
  // Its last complaint, or how it ended.
  [[nodiscard]] std::string complaint() const;
};

// args[0] is a path, or looked up in PATH; an error is one that could not be run. For programs that write little.
Result<ProgramOutput> run_program(const std::vector<std::string>& args, std::string_view input = {});

}  // namespace usvc
