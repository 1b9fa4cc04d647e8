// usvc-keeper [--ready-fd N] [--adopt-fd N --manager-program-fd N] [MANAGER-ARGUMENT…]: started by usvc or by
// usvc-manager, never by hand.
// usvc-keeper --state-fd N [--old-keeper-fd N | --rolled-back] [MANAGER-ARGUMENT…]: by an upgrade, in the process of
// the keeper before it.
#include "keeper/keeper.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/program.h"
#include "base/version.h"

namespace {

usvc::Fd inherited(const char* number) {
  return usvc::inherited_fd(std::atoi(number));
}

// 0, 1 and 2 must be taken, or a descriptor of ours would land there and a job would write into it.
void occupy_standard_descriptors() {
  int fd = -1;
  do {
    fd = ::open("/dev/null", O_RDWR);  // NOLINT(android-cloexec-open): these are meant to be inherited
  } while (fd >= 0 && fd <= 2);
  if (fd > 2) (void)::close(fd);
}

// What whoever started us had open: a lock or a pipe of theirs must not live as long as we do.
void close_others(std::vector<unsigned> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = 3;
  for (const unsigned fd : kept) {
    if (fd > from) (void)::close_range(from, fd - 1, 0);  // unknown before Linux 5.9, and then they stay open
    from = std::max(from, fd + 1);
  }
  (void)::close_range(from, ~0U, 0);
}

struct Arguments {
  usvc::keeper::Options options;
  usvc::Fd state;
  int old_keeper = -1;  // stays open in an exec until the state has been read
};

Arguments parse(int argc, char** argv) {
  Arguments result;
  usvc::keeper::Options& options = result.options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    const bool has_value = i + 1 < argc;
    if (arg == "--ready-fd" && has_value) {
      options.ready = inherited(argv[++i]);
    } else if (arg == "--adopt-fd" && has_value) {
      options.adopted = inherited(argv[++i]);
    } else if (arg == "--manager-program-fd" && has_value) {
      options.manager_program = inherited(argv[++i]);
    } else if (arg == "--state-fd" && has_value) {
      result.state = inherited(argv[++i]);
    } else if (arg == "--old-keeper-fd" && has_value) {
      result.old_keeper = std::atoi(argv[++i]);
    } else if (arg == "--rolled-back") {
      options.rolled_back = true;
    } else {
      options.manager_args.emplace_back(arg);
    }
  }
  return result;
}

// What the keeper before us has left. Where it can't be read, that keeper is the one who can: back to it.
usvc::Status read_handed(Arguments& arguments) {
  auto state = usvc::keeper::read_state(arguments.state);
  if (state) {
    arguments.options.handed = std::move(*state);
    return {};
  }
  if (arguments.old_keeper < 0) return usvc::pass(state);
  std::fprintf(stderr, "usvc-keeper: %s: back to the version before\n", state.error().message().c_str());
  (void)::fcntl(arguments.state.get(), F_SETFD, 0);
  std::vector<std::string> args = {usvc::program_beside("usvc-keeper"), "--state-fd",
                                   std::to_string(arguments.state.get()), "--rolled-back"};
  const auto& rest = arguments.options.manager_args;
  args.insert(args.end(), rest.begin(), rest.end());
  return usvc::fail(usvc::execute_program(usvc::FdRef(arguments.old_keeper), args));
}

void close_all_but(const Arguments& arguments) {
  std::vector<unsigned> kept;
  const auto& options = arguments.options;
  for (const auto* fd : {&options.ready, &options.adopted, &options.manager_program}) {
    if (*fd) kept.push_back(static_cast<unsigned>(fd->get()));
  }
  if (options.handed) {
    for (const int fd : usvc::keeper::descriptors_of(*options.handed)) kept.push_back(static_cast<unsigned>(fd));
  }
  close_others(std::move(kept));
}

usvc::Status open_programs(usvc::keeper::Options& options) {
  auto own = usvc::open_file("/proc/self/exe", O_PATH);
  if (!own) return usvc::pass(own);
  options.own_program = std::move(*own);
  if (options.manager_program || options.handed) return {};
  auto manager = usvc::open_file(usvc::program_beside("usvc-manager"), O_PATH);
  if (!manager) return usvc::pass(manager);
  options.manager_program = std::move(*manager);
  return {};
}

int complain(const usvc::Error& error) {
  std::fprintf(stderr, "usvc-keeper: %s\n", error.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    std::printf("usvc-keeper %s\n", usvc::own_version().c_str());
    return 0;
  }
  (void)::prctl(PR_SET_NAME, "usvc-keeper");  // started by a descriptor, it would be called by that one's number
  occupy_standard_descriptors();
  Arguments arguments = parse(argc, argv);
  if (arguments.state) {
    if (auto status = read_handed(arguments); !status) return complain(status.error());
    arguments.state.reset();
  }
  close_all_but(arguments);
  if (auto status = open_programs(arguments.options); !status) return complain(status.error());
  try {
    auto keeper = usvc::keeper::Keeper::create(std::move(arguments.options));
    if (!keeper) return complain(keeper.error());
    return (*keeper)->run();
  } catch (const std::exception& error) {
    // Out of memory, most likely. The manager holds everything too and starts another keeper.
    std::fprintf(stderr, "usvc-keeper: cannot go on: %s\n", error.what());
    return 1;
  }
}
