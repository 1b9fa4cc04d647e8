// HTTP/1.1 over the instance's unix socket, one request a connection.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/fd.h"
#include "base/unix_socket.h"

namespace usvc {

struct Reply {
  unsigned status = 0;
  std::string body;
};

// What to do while no answer comes. A connection may be made although nobody takes it: the keeper holds the listening
// socket, so that no request is lost while the manager is replaced.
struct Silence {
  std::chrono::seconds bearable;
  std::function<bool()> go_on;  // asked after each such time of silence; false: give up (ETIMEDOUT)
  FdRef given_up = FdRef(-1);   // -1: none; can be read when the answer is not wanted any more
};

struct Question {
  std::string_view method;
  std::string_view target;
  std::string_view body = {};
  FdRef lent = FdRef(-1);  // goes along with the first byte; -1: none
};

// Asks once. An error means that no whole answer came: whether it was acted on is unknown.
Result<Reply> exchange(const Fd& connection, const Question& question, const Silence& silence);

// "a b/c" -> "a%20b%2Fc".
std::string percent_encode(std::string_view word);

}  // namespace usvc
