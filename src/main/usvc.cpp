// The client.
#include <string>
#include <vector>

#include "base/standard_fds.h"
#include "cli/dispatch.h"

int main(int argc, char** argv) {
  usvc::occupy_standard_fds();
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  return usvc::run_command_line(words);
}
