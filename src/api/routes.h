// From a request's method, address and body to an operation of the manager's, and its result to JSON.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "manager/caller.h"
#include "manager/instance.h"

namespace usvc {

struct ApiRequest {
  std::string method;
  std::string path;                    // without the query
  std::vector<std::string> selectors;  // of the query's select=
  bool follow = false;
  bool read_only = false;
  bool websocket = false;  // it is to become one
  std::string body;
  Fd sent;                         // a descriptor that came with it
  std::shared_ptr<Caller> caller;  // none: one who stays
};

struct ApiResponse {
  int status = 200;
  std::string body;                    // JSON
  bool stream_events = false;          // instead of a body: journal lines from now on
  bool end_instance = false;           // once this answer is out
  std::shared_ptr<Job> terminal = {};  // instead of a body: the WebSocket of this job's terminal
};

// The request line's target, percent-decoded. An error is the client's.
Result<ApiRequest> parse_target(std::string method, std::string_view target);

// Whether the operation is carried through although whoever asked for it has gone, and may take its time over it.
bool may_linger(const ApiRequest& request);

// Every method and path that is answered.
std::vector<std::pair<std::string_view, std::string_view>> addresses();

asio::awaitable<ApiResponse> answer(Instance* instance, ApiRequest request);

}  // namespace usvc
