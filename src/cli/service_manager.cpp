#include "cli/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "base/fd.h"
#include "base/run_program.h"
#include "base/text.h"
#include "cli/context.h"

namespace usvc {

namespace {

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string taken = value != nullptr ? value : "";
  (void)::unsetenv(name);
  return taken;
}

}  // namespace

ServiceManager ServiceManager::take() {
  ServiceManager manager;
  manager.socket_ = take_variable("NOTIFY_SOCKET");
  manager.unit_ = take_variable("USVC_UNIT");
  return manager;
}

void ServiceManager::tell(std::string_view state) const {
  if (socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket_.size() >= sizeof address.sun_path) return complain("NOTIFY_SOCKET is too long");
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // an abstract one
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what sendto(2) takes
  const auto* target = reinterpret_cast<const sockaddr*>(&address);
  if (!socket || ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, target, size) < 0) {
    complain(Error::last("cannot tell the service manager " + printable(state)).message());
  }
}

bool ServiceManager::restarting() const {
  if (unit_.empty()) return false;
  const auto jobs = run_program({"systemctl", "--user", "--no-legend", "--plain", "list-jobs", unit_});
  if (!jobs || jobs->status != 0) return false;
  for (const auto line : split(jobs->out, '\n')) {  // NUMBER UNIT TYPE STATE
    const auto words = split(line, ' ');
    bool here = false;
    for (const auto word : words) {
      if (here && word == "restart") return true;
      here = here || word == unit_;
    }
  }
  return false;
}

}  // namespace usvc
