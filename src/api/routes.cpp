#include "api/routes.h"

#include <utility>

#include "base/text.h"
#include "manager/operations.h"
#include "shapes/requests.h"
#include "shapes/routes.h"

namespace usvc {

namespace {

int status_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return 400;
    case ErrorKind::no_match:
      return 404;
    case ErrorKind::failure:
      return 500;
    case ErrorKind::unreachable:
      return 503;
  }
  return 500;
}

ApiResponse error_response(const Error& error, int status = 0) {
  return {.status = status != 0 ? status : status_for(error.kind()), .body = to_json_text(error_reply(error))};
}

template <class T>
ApiResponse respond(Result<T> result) {
  if (!result) return error_response(result.error());
  return {.status = 200, .body = to_json_text(*result)};
}

Error no_such_address(const ApiRequest& request) {
  return Error("no such address: " + printable(request.path));
}

using Answer = asio::awaitable<ApiResponse>;

constexpr std::size_t longest_key = 64;
constexpr std::size_t most_selectors = 20'000;

// What a body says. The text itself is not kept for as long as the operation may take.
template <class Request>
Result<Request> body_as(ApiRequest& request) {
  auto parsed = parse_as<Request>(std::exchange(request.body, {}));
  if (!parsed) return fail(std::move(parsed).error().as(ErrorKind::usage));
  if constexpr (requires { parsed->key; }) {
    if (parsed->key.size() > longest_key) {
      return fail("key: longer than " + std::to_string(longest_key) + " characters", ErrorKind::usage);
    }
  }
  if constexpr (requires { parsed->selectors; }) {
    if (parsed->selectors.size() > most_selectors) {
      return fail("selectors: more than " + std::to_string(most_selectors), ErrorKind::usage);
    }
  }
  return parsed;
}

// A route whose body is a `Request` and whose work may take its time.
template <class Request, class Reply>
Answer with_body(Instance* instance, ApiRequest request,
                 asio::awaitable<Result<Reply>> (*operation)(Instance*, Request)) {
  auto parsed = body_as<Request>(request);
  if (!parsed) co_return error_response(parsed.error());
  auto result = co_await operation(instance, std::move(*parsed));
  co_return respond(std::move(result));
}

// The same, for what is over when nobody waits for it any more.
template <class Request, class Reply>
Answer with_body(Instance* instance, ApiRequest request,
                 asio::awaitable<Result<Reply>> (*operation)(Instance*, Request, std::shared_ptr<Caller>)) {
  auto parsed = body_as<Request>(request);
  if (!parsed) co_return error_response(parsed.error());
  auto caller = request.caller ? request.caller : std::make_shared<Caller>();
  auto result = co_await operation(instance, std::move(*parsed), std::move(caller));
  co_return respond(std::move(result));
}

Answer get_jobs(Instance* instance, ApiRequest request) {
  co_return respond(list_jobs(*instance, request.selectors));
}
Answer get_vars(Instance* instance, ApiRequest /*request*/) {
  co_return respond(Result<VarsView>(vars(*instance)));
}
Answer get_save(Instance* instance, ApiRequest request) {
  co_return respond(save_jobs(*instance, request.selectors));
}

Answer get_events(Instance* /*instance*/, ApiRequest /*request*/) {
  ApiResponse response;
  response.stream_events = true;
  co_return response;
}

// The only thing a job has an address for.
Answer get_terminal(Instance* instance, ApiRequest request) {
  std::string name = request.path.substr(std::string_view(route::job).size());
  if (!name.ends_with(route::terminal)) co_return error_response(no_such_address(request), 404);
  name.resize(name.size() - std::string_view(route::terminal).size());
  auto job = one_job(*instance, name);
  if (!job) co_return error_response(job.error());
  if (!request.websocket) {
    co_return error_response(Error("a terminal is only to be had as a WebSocket", ErrorKind::usage));
  }
  ApiResponse response;
  response.terminal = std::move(*job);
  co_return response;
}

std::string conf_name(const ApiRequest& request) {
  return request.path.substr(std::string_view(route::conf).size());
}

Answer get_conf(Instance* instance, ApiRequest request) {
  co_return respond(show_conf(*instance, conf_name(request)));
}

Answer put_conf(Instance* instance, ApiRequest request) {
  auto change = body_as<ConfChange>(request);
  if (!change) co_return error_response(change.error());
  co_return respond(change_conf(*instance, conf_name(request), *change));
}

Answer post_new(Instance* instance, ApiRequest request) {
  auto parsed = body_as<StartRequest>(request);
  if (!parsed) co_return error_response(parsed.error());
  Fd input = parsed->input.value_or(false) ? std::move(request.sent) : Fd();
  auto result = co_await start_new(instance, std::move(*parsed), std::move(input));
  co_return respond(std::move(result));
}
Answer post_start(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), start_known);
}
Answer post_stop(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), stop_jobs);
}
Answer post_restart(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), restart_jobs);
}
Answer post_clean(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), clean_jobs);
}
Answer post_rotate(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), rotate_jobs);
}
Answer post_signal(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), signal_jobs);
}
Answer post_wait(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), wait_for_jobs);
}
Answer post_load(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), load_jobs);
}

Answer post_upgrade(Instance* instance, ApiRequest request) {
  return with_body(instance, std::move(request), upgrade_instance);
}

Answer post_shutdown(Instance* instance, ApiRequest request) {
  if (!request.body.empty()) {
    const auto parsed = body_as<PlainRequest>(request);
    if (!parsed) co_return error_response(parsed.error());
  }
  auto outcomes = co_await shut_down(instance);
  ApiResponse response = respond(std::move(outcomes));
  response.end_instance = true;
  co_return response;
}

struct Row {
  std::string_view method;
  std::string_view path;  // one that ends in '/' is a prefix
  Answer (*handler)(Instance*, ApiRequest);
  bool offline;  // answered from what is on disk when no instance runs
};

constexpr Row rows[] = {
    {"GET", route::jobs, get_jobs, true},          {"GET", route::vars, get_vars, true},
    {"GET", route::save, get_save, true},          {"GET", route::conf, get_conf, true},
    {"GET", route::events, get_events, false},     {"PUT", route::conf, put_conf, true},
    {"POST", route::jobs, post_new, false},        {"POST", route::start, post_start, false},
    {"POST", route::stop, post_stop, true},        {"POST", route::restart, post_restart, false},
    {"POST", route::clean, post_clean, true},      {"POST", route::rotate, post_rotate, false},
    {"POST", route::signal, post_signal, false},   {"POST", route::wait, post_wait, false},
    {"POST", route::load, post_load, false},       {"POST", route::shutdown, post_shutdown, false},
    {"POST", route::upgrade, post_upgrade, false}, {"GET", route::job, get_terminal, false},
};

bool fits(const Row& row, std::string_view path) {
  if (!row.path.ends_with('/')) return row.path == path;
  return path.size() > row.path.size() && path.starts_with(row.path);
}

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : std::nullopt;
    const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : std::nullopt;
    if (!high || !low) return fail("a broken % escape in the address", ErrorKind::usage);
    decoded += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return decoded;
}

}  // namespace

Result<ApiRequest> parse_target(std::string method, std::string_view target) {
  ApiRequest request;
  request.method = std::move(method);
  const auto question = target.find('?');
  auto path = percent_decode(target.substr(0, question));
  if (!path) return pass(path);
  request.path = std::move(*path);
  if (question == std::string_view::npos) return request;
  for (const std::string_view pair : split(target.substr(question + 1), '&')) {
    const auto equals = pair.find('=');
    auto value = percent_decode(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!value) return pass(value);
    const std::string_view key = pair.substr(0, equals);
    if (key == "select") request.selectors.push_back(std::move(*value));
    if (key == "follow") request.follow = *value != "0";
    if (key == "read-only") request.read_only = *value != "0";
  }
  return request;
}

std::vector<std::pair<std::string_view, std::string_view>> addresses() {
  std::vector<std::pair<std::string_view, std::string_view>> all;
  for (const auto& row : rows) all.emplace_back(row.method, row.path);
  return all;
}

bool may_linger(const ApiRequest& request) {
  return request.method == "POST" && (request.path == route::jobs || request.path == route::start ||
                                      request.path == route::restart || request.path == route::load);
}

asio::awaitable<ApiResponse> answer(Instance* instance, ApiRequest request) {
  bool path_known = false;
  for (const auto& row : rows) {
    if (!fits(row, request.path)) continue;
    path_known = true;
    if (row.method != request.method) continue;
    if (!instance->online() && !row.offline) {
      co_return error_response(Error("no instance is running", ErrorKind::unreachable));
    }
    co_return co_await row.handler(instance, std::move(request));
  }
  if (path_known) co_return error_response(Error("this address does not take " + printable(request.method)), 405);
  co_return error_response(no_such_address(request), 404);
}

}  // namespace usvc
