// Just enough of TCP on the loopback to see whether a program answers.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/fd.h"

namespace usvc::test {

// A port nobody listens on, chosen by the kernel.
int free_port();
// What comes back on a new connection after `request` is sent, until the other side closes, `enough` has come, or the
// time is up; nothing when nobody listens.
std::optional<std::string> talk(int port, const std::string& request, const std::string& enough = {});
// The body of GET PATH when the answer is 200.
std::optional<std::string> http_get(int port, const std::string& path = "/");

// A server for one request: what a program POSTs to us.
class Receiver {
 public:
  Receiver();
  [[nodiscard]] int port() const { return port_; }
  // The next request, head and body, answered with 200; nothing when none came in time.
  std::optional<std::string> receive(std::chrono::milliseconds deadline);

 private:
  int port_ = 0;  // before the listener, whose making fills it in
  Fd listener_;
};

}  // namespace usvc::test
