#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "base/files.h"
#include "base/lookup.h"
#include "base/text.h"
#include "cli/caller.h"
#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"
#include "cli/report.h"
#include "cli/set_view.h"
#include "foreign/foreign.h"
#include "proc/host.h"

namespace usvc::command {

namespace {

constexpr std::size_t longest_set = std::size_t{8} << 20U;

Result<std::string> read_stdin() {
  std::string text;
  std::array<char, 65536> bytes;
  for (;;) {
    const ssize_t got = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Error::last("standard input"));
    if (got == 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(got));
    if (text.size() > longest_set) return fail(Error::from_errno(EFBIG, "standard input"));
  }
}

// Which program's set it is; nothing: one of usvc's own.
Result<std::optional<foreign::Format>> format_of(const Arguments& arguments, const std::string& file,
                                                 std::string_view text) {
  const auto from = arguments.value("--from");
  if (!from) return foreign::recognise(file, text);
  if (*from == "usvc") return std::nullopt;
  if (const auto format = foreign::format_named(*from)) return format;
  return fail(Error("--from " + printable(*from) + ": there is no such format", ErrorKind::usage)
                  .hint(std::string(foreign::origin_names)));
}

foreign::Surroundings surroundings_of(const std::string& file, const std::string& cwd) {
  foreign::Surroundings around;
  const std::string path = file.starts_with('/') ? file : cwd + "/" + file;
  around.file = file == "-" ? "standard input" : file;
  around.directory = file == "-" ? cwd : directory_of(path);
  around.env = caller_environment();
  around.user = user_name();
  around.host = host_name();
  around.cores = static_cast<int>(core_count());
  around.read = [](const std::string& other) { return read_file(other, longest_set); };
  around.find = find_command;
  return around;
}

struct Taken {
  std::string text;  // as usvc writes it
  std::string file;  // what its lines are said to be of
  std::vector<std::string> remarks;
  bool left_out = false;
};

Result<Taken> taken_over(const Arguments& arguments, const std::string& file, std::string text,
                         const std::string& cwd) {
  auto format = format_of(arguments, file, text);
  if (!format) return pass(format);
  if (!*format) return Taken{std::move(text), file == "-" ? "standard input" : file, {}};
  auto imported = foreign::import_set(**format, text, surroundings_of(file, cwd));
  if (!imported) return pass(imported);
  Taken taken{foreign::set_text(imported->jobs), file + " (as --dry-run shows it)", {}};
  for (const auto& remark : imported->remarks) {
    complain(remark.text);
    taken.remarks.push_back(remark.text);
    taken.left_out = taken.left_out || remark.left_out;
  }
  return taken;
}

}  // namespace

std::vector<Flag> load_flags() {
  return {{"--from", 0, foreign::origin_names, "whose format it is; by default seen from the file"},
          {"--dry-run", 0, "", "start nothing: print the set as usvc would save it"}};
}

Result<int> load(const Invocation& invocation) {
  const auto& words = invocation.arguments.words;
  if (words.size() != 1) return fail(Error("load needs one FILE", ErrorKind::usage).hint("- for standard input"));
  auto cwd = caller_directory();
  if (!cwd) return pass(cwd);
  auto text = words.front() == "-" ? read_stdin() : read_file(words.front(), longest_set);
  if (!text) return pass(text, "cannot load");
  auto taken = taken_over(invocation.arguments, words.front(), std::move(*text), *cwd);
  if (!taken) return pass(taken, "cannot load");
  const int so_far = taken->left_out ? 1 : 0;
  if (invocation.arguments.has("--dry-run")) {
    const SetView view{{}, taken->text, std::move(taken->remarks)};
    if (auto status = invocation.context.json ? print_json(view) : print(taken->text); !status) return pass(status);
    return so_far;
  }
  LoadRequest request;
  request.text = std::move(taken->text);
  request.cwd = std::move(*cwd);
  request.env = caller_environment();
  request.file = taken->file;
  request.defaults = caller_settings();
  auto reply = Remote(invocation.context, NoInstance::start).load(std::move(request));
  if (!reply && reply.error().kind() != ErrorKind::unreachable) {
    // Whatever is wrong is wrong in the file, not on the command line.
    const bool placed = reply.error().message().starts_with(taken->file + ":");
    const std::string what = placed ? "cannot load" : "cannot load " + taken->file;
    return fail(std::move(reply).error().context(what).as(ErrorKind::failure));
  }
  if (!reply) return pass(reply);
  // No error: it is what save writes where there is no job.
  if (reply->results.empty() && !taken->left_out) complain("there is no job in " + words.front());
  auto status = report(invocation.context, *reply, {"load", "started"});
  if (!status) return status;
  return std::max(*status, so_far);
}

}  // namespace usvc::command
