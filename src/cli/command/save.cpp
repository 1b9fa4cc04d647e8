#include <fcntl.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "base/files.h"
#include "cli/command.h"
#include "cli/remote.h"

namespace usvc::command {

namespace {

Status write_to(const std::string& path, const std::string& text) {
  if (path == "-") return print(text);
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISREG(info.st_mode)) return write_file_atomically(path, text);
  // A pipe or device keeps being one.
  auto file = open_file(path, O_WRONLY);
  if (!file) return pass(file);
  return write_all(*file, text);
}

}  // namespace

Result<int> save(const Invocation& invocation) {
  std::vector<std::string> words = invocation.arguments.words;
  if (words.empty()) return fail(Error("save needs a FILE", ErrorKind::usage).hint("- for standard output"));
  const std::string path = words.front();
  words.erase(words.begin());
  auto reply = Remote(invocation.context, NoInstance::offline).save(words);
  if (!reply) return pass(reply);
  if (auto status = write_to(path, reply->text); !status) return pass(status, "cannot save");
  return 0;
}

}  // namespace usvc::command
