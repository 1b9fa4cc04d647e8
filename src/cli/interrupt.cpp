#include "cli/interrupt.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace usvc {

Result<Interrupt> Interrupt::create(std::initializer_list<int> more) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    // One that the caller ignores (nohup) stays ignored.
    struct sigaction action {};
    const bool ignored = ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
    if (!ignored) sigaddset(&set, signal);
  }
  for (const int signal : more) sigaddset(&set, signal);
  if (::sigprocmask(SIG_BLOCK, &set, nullptr) != 0) return fail(Error::last("cannot block signals"));
  Fd fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return fail(Error::last("cannot wait for signals"));
  return Interrupt(std::move(fd));
}

std::optional<Interrupt::Taken> Interrupt::take() {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return Taken{static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL};
}

}  // namespace usvc
