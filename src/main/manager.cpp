// usvc-manager --keeper-fd N --keeper-program-fd N [--ready-fd N] [--home DIR]: started by the keeper.
// usvc-manager --offline [--home DIR] METHOD TARGET [BODY]: answers one request from what is on disk, for usvc, when no
// instance runs.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "api/routes.h"
#include "api/server.h"
#include "base/files.h"
#include "base/text.h"
#include "base/version.h"
#include "job/layout.h"
#include "manager/instance.h"
#include "shapes/requests.h"

namespace {

using namespace usvc;

// The keeper does not start another one after this.
constexpr int refuses = 3;
constexpr auto proof_time = std::chrono::milliseconds(100);

struct Options {
  std::string home;
  bool offline = false;
  Fd keeper;
  Fd keeper_program;
  Fd ready;
  std::vector<std::string> rest;
};

Fd inherited(const char* text) {
  const auto number = parse_number(text);
  return inherited_fd(number ? static_cast<int>(*number) : -1);
}

Options parse_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool has_value = i + 1 < argc;
    if (arg == "--offline")
      options.offline = true;
    else if (arg == "--home" && has_value)
      options.home = argv[++i];
    else if (arg == "--keeper-fd" && has_value)
      options.keeper = inherited(argv[++i]);
    else if (arg == "--keeper-program-fd" && has_value)
      options.keeper_program = inherited(argv[++i]);
    else if (arg == "--ready-fd" && has_value)
      options.ready = inherited(argv[++i]);
    else
      options.rest.emplace_back(arg);
  }
  return options;
}

Result<Layout> layout_for(const Options& options) {
  std::string cwd(4096, '\0');
  if (::getcwd(cwd.data(), cwd.size()) == nullptr) cwd = "/";
  cwd.resize(cwd.find('\0') == std::string::npos ? cwd.size() : cwd.find('\0'));
  return Layout::from(
      options.home, [](const char* name) { return std::getenv(name); }, cwd);
}

int complain(const Options& options, const Error& error) {
  std::fprintf(stderr, "usvc-manager: %s\n", error.message().c_str());
  if (options.ready) (void)write_all(options.ready, "error: " + error.message() + "\n");
  return refuses;
}

void prepare_process() {
  for (const int signal : {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGXFSZ}) (void)std::signal(signal, SIG_IGN);
  ::umask(077);
  // An instance begun from inside a job is not that job's process.
  for (const char* name : {"USVC_RUN", "USVC_JOB", "USVC_GROUP", "USVC_INSTANCE", "USVC_WORK"}) (void)::unsetenv(name);
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &limit);  // raising the soft limit to the hard one is always allowed
}

int answer_offline(const Options& options) {
  auto layout = layout_for(options);
  if (!layout || options.rest.size() < 2) return 2;
  asio::io_context io(1);
  Instance instance(io, *layout);
  ApiResponse response;
  if (auto opened = instance.open_offline(options.rest[0] != "GET"); !opened) {
    response.status = 500;
    response.body = to_json_text(error_reply(opened.error()));
  } else if (auto request = parse_target(options.rest[0], options.rest[1]); request) {
    if (options.rest.size() > 2) request->body = options.rest[2];
    const auto run = [](Instance* on, ApiRequest asked, ApiResponse* out) -> asio::awaitable<void> {
      *out = co_await answer(on, std::move(asked));
    };
    asio::co_spawn(io, run(&instance, std::move(*request), &response), asio::detached);
    io.run();
  }
  std::printf("%d\n%s", response.status, response.body.c_str());
  return 0;
}

// Until it is told to end; the process's exit status.
int work(asio::io_context& io, Instance& instance, Options options, std::vector<std::string> keeper_args) {
  if (auto taken =
          instance.take_over(std::move(options.keeper), std::move(options.keeper_program), std::move(keeper_args));
      !taken) {
    return complain(options, taken.error());
  }
  Server server(&instance);
  if (auto serving = server.run(); !serving) return complain(options, serving.error());
  // Only a manager that has run for a moment counts as one that works: else the keeper waits longer before the next.
  asio::steady_timer proven(io, proof_time);
  proven.async_wait([&instance](boost::system::error_code error) {
    if (!error) instance.keeper().up();
  });
  if (options.ready) (void)write_all(options.ready, "ready\n");
  options.ready.reset();
  // Somebody's kill: the keeper starts another manager, which goes on where this one was.
  asio::signal_set terminate(io, SIGTERM);
  terminate.async_wait([&io](boost::system::error_code error, int) {
    if (!error) io.stop();
  });
  io.run();
  // What is in flight is the next manager's: it begins where a killed one would have left it, and unwinding every job's
  // coroutine here would only be a second way to end.
  std::_Exit(0);
}

int manage(Options options) {
  prepare_process();
  auto layout = layout_for(options);
  if (!layout) return complain(options, layout.error());
  asio::io_context io(1);
  std::vector<std::string> keeper_args;
  if (!options.home.empty()) keeper_args = {"--home", layout->home};
  Instance instance(io, *layout);
  instance.quit = [&io] { io.stop(); };
  int status = 1;
  try {
    status = work(io, instance, std::move(options), std::move(keeper_args));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usvc-manager: cannot go on: %s\n", error.what());
  }
  // A worker that waits for a dead disk must not keep the next manager from beginning.
  std::_Exit(status);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("usvc-manager %s\n", own_version().c_str());
    return 0;
  }
  (void)::prctl(PR_SET_NAME, "usvc-manager");  // started by a descriptor, it would be called by that one's number
  Options options = parse_options(argc, argv);
  try {
    return options.offline ? answer_offline(options) : manage(std::move(options));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "usvc-manager: cannot go on: %s\n", error.what());
    return 1;
  }
}
