// usvc-keeper [--ready-fd N] [--adopt-fd N] [MANAGER-ARGUMENT…]: started by usvc or by usvc-manager, never by hand.
#include "keeper/keeper.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/program.h"

namespace {

usvc::Fd inherited(const char* number) {
  usvc::Fd fd(std::atoi(number));
  if (::fcntl(fd.get(), F_SETFD, FD_CLOEXEC) != 0) (void)fd.release();  // not open: nothing to own
  return fd;
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

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  usvc::keeper::Options options;
  options.manager_path = usvc::program_beside("usvc-manager");
  for (int i = 1; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--ready-fd" && i + 1 < argc) {
      options.ready = inherited(argv[++i]);
    } else if (arg == "--adopt-fd" && i + 1 < argc) {
      options.adopted = inherited(argv[++i]);
    } else {
      options.manager_args.emplace_back(arg);
    }
  }
  std::vector<unsigned> kept;
  for (const auto* fd : {&options.ready, &options.adopted}) {
    if (*fd) kept.push_back(static_cast<unsigned>(fd->get()));
  }
  close_others(std::move(kept));
  try {
    auto keeper = usvc::keeper::Keeper::create(std::move(options));
    if (!keeper) {
      std::fprintf(stderr, "usvc-keeper: %s\n", keeper.error().message().c_str());
      return 1;
    }
    return (*keeper)->run();
  } catch (const std::exception& error) {
    // Out of memory, most likely. The manager holds everything too and starts another keeper.
    std::fprintf(stderr, "usvc-keeper: cannot go on: %s\n", error.what());
    return 1;
  }
}
