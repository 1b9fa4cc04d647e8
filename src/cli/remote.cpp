#include "cli/remote.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "base/ready.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/instance.h"
#include "cli/offline.h"
#include "shapes/routes.h"

namespace usvc {

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
// How long a manager that is being replaced may take to be back.
constexpr auto patience = 10s;
// How long to ask again although managers die over and over: it may be the request that they die of.
constexpr auto longest_trouble = 60s;
// A question about what is has its answer in no time. What changes something may rightly take long.
constexpr auto soon = 5s;
constexpr auto at_once = 2s;

std::string fresh_key() {
  return random_hex(16);
}

std::string with_words(const char* route, const std::vector<std::string>& words) {
  std::string target = route;
  char separator = '?';
  for (const auto& word : words) {
    target += separator;
    target += "select=" + percent_encode(word);
    separator = '&';
  }
  return target;
}

// What is in a reply: its body, or the error it stands for.
Result<std::string> body_of(Reply reply) {
  if (reply.status < 400) return std::move(reply.body);
  const auto error = parse_as<ErrorReply>(reply.body);
  if (error && !error->error.message.empty()) return fail(error_from(*error));
  return fail("the manager refused and did not say why: HTTP status " + std::to_string(reply.status));
}

template <class T>
Result<T> read_as(Result<std::string> body) {
  if (!body) return pass(body);
  auto value = parse_as<T>(*body);
  if (!value) return pass(value, "cannot read the manager's answer");
  return value;
}

enum class Attempt { answered, not_connected, broken, silent };

struct Tried {
  Attempt attempt;
  Result<Reply> reply;
};

Tried try_once(const Layout& layout, const Question& question, const Silence& silence) {
  auto connection = connect_unix(layout.socket);
  if (!connection) return {Attempt::not_connected, pass(connection)};
  auto reply = exchange(*connection, question, silence);
  if (reply) return {Attempt::answered, std::move(reply)};
  const bool silent = reply.error().code() == ETIMEDOUT;
  return {silent ? Attempt::silent : Attempt::broken, std::move(reply)};
}

bool worth_retrying(const Tried& tried) {
  if (tried.attempt == Attempt::broken) return true;
  const int code = tried.reply.error().code();
  return code == ENOENT || code == ECONNREFUSED || code == EAGAIN || code == ECONNRESET;
}

// For requests that may take long: whether there is a manager at work on them, asked by a short question.
Silence while_manager_lives(const Layout& layout) {
  return {std::chrono::duration_cast<std::chrono::seconds>(patience), [&layout] {
            const Silence give_up{soon, [] { return false; }};
            return try_once(layout, Question{"GET", route::vars}, give_up).attempt != Attempt::silent;
          }};
}

}  // namespace

Error Remote::nobody() const {
  return Error("no instance runs here: nothing to " + (verb_.empty() ? "ask" : verb_), ErrorKind::unreachable)
      .hint("usvc init");
}

Result<std::string> Remote::ask_disk(std::string_view method, const std::string& target, const std::string& body) {
  auto reply = ask_offline(*context_, method, target, body);
  if (!reply) return pass(reply);
  return body_of(std::move(*reply));
}

// The manager can't be reached although the instance runs.
Result<std::string> Remote::give_up(Error error, std::string_view method, const std::string& target) {
  Error why = explain_silence(std::move(error), context_->layout);
  if (method == "GET" && policy_ == NoInstance::offline) {
    complain(why.message() + "; this is what is on disk");
    return ask_disk(method, target, {});
  }
  return fail(std::move(why).as(ErrorKind::unreachable));
}

Result<std::string> Remote::ask(std::string_view method, const std::string& target, const std::string& body,
                                FdRef lent) {
  const bool looks = method == "GET";
  Silence silence = looks ? Silence{soon, [] { return false; }} : while_manager_lives(context_->layout);
  silence.given_up = given_up_;
  auto deadline = Clock::time_point::max();
  Clock::time_point trouble_since;
  for (;;) {
    const auto begun = Clock::now();
    auto tried = try_once(context_->layout, Question{method, target, body, lent}, silence);
    if (tried.attempt == Attempt::answered) return body_of(std::move(*tried.reply));
    const Error& error = tried.reply.error();
    if (ready_now(given_up_)) return fail("it is not waited for any more");
    if (tried.attempt == Attempt::silent) return give_up(error, method, target);
    if (!worth_retrying(tried)) return fail(Error(error).as(ErrorKind::unreachable));
    if (!instance_runs(context_->layout)) {
      if (policy_ == NoInstance::offline) return ask_disk(method, target, body);
      if (policy_ == NoInstance::refuse || started_) return fail(nobody());
      if (auto status = start_instance(*context_); !status) return pass(status);
      started_ = true;
      continue;
    }
    const auto now = Clock::now();
    // A long wait may outlive several managers; patience is for one change of them.
    const bool first = deadline == Clock::time_point::max() || now - begun > patience;
    if (first) trouble_since = now;
    if (first || tried.attempt == Attempt::broken) deadline = std::min(now + patience, trouble_since + longest_trouble);
    if (now >= deadline) return give_up(error, method, target);
    await_socket(context_->layout, 50ms);
  }
}

Result<JobsReply> Remote::jobs(const std::vector<std::string>& selectors) {
  return read_as<JobsReply>(ask("GET", with_words(route::jobs, selectors)));
}

Result<std::string> Remote::ask_shortly(const std::string& target) {
  auto tried = try_once(context_->layout, Question{"GET", target}, {at_once, [] { return false; }});
  if (tried.reply) return body_of(std::move(*tried.reply));
  if (policy_ == NoInstance::refuse) return fail(std::move(tried.reply).error().as(ErrorKind::unreachable));
  return ask_disk("GET", target, {});
}

Result<JobsReply> Remote::glance(const std::vector<std::string>& selectors) {
  return read_as<JobsReply>(ask_shortly(with_words(route::jobs, selectors)));
}

Result<VarsView> Remote::vars() {
  // It is asked most when something is wrong, so it does not wait for it to be right again.
  return read_as<VarsView>(ask_shortly(route::vars));
}

Result<VarsView> Remote::await_vars() {
  return read_as<VarsView>(ask("GET", route::vars));
}

Result<ConfView> Remote::conf(const std::string& name) {
  return read_as<ConfView>(ask("GET", route::conf + percent_encode(name)));
}

Result<ConfView> Remote::set_conf(const std::string& name, const std::string& entry, const std::string& value) {
  const ConfChange change{fresh_key(), entry, value};
  return read_as<ConfView>(ask("PUT", route::conf + percent_encode(name), to_json_text(change)));
}

Result<SaveReply> Remote::save(const std::vector<std::string>& selectors) {
  return read_as<SaveReply>(ask("GET", with_words(route::save, selectors)));
}

Result<OutcomesReply> Remote::make_jobs(StartRequest request, FdRef input) {
  request.key = fresh_key();
  return read_as<OutcomesReply>(ask("POST", route::jobs, to_json_text(request, Absent::omit), input));
}

Result<OutcomesReply> Remote::select(const char* route, SelectRequest request) {
  request.key = fresh_key();
  return read_as<OutcomesReply>(ask("POST", route, to_json_text(request, Absent::omit)));
}

Result<OutcomesReply> Remote::load(LoadRequest request) {
  request.key = fresh_key();
  return read_as<OutcomesReply>(ask("POST", route::load, to_json_text(request, Absent::omit)));
}

Result<OutcomesReply> Remote::shutdown() {
  const PlainRequest request{fresh_key()};
  return read_as<OutcomesReply>(ask("POST", route::shutdown, to_json_text(request)));
}

Result<UpgradeReply> Remote::upgrade(const std::string& directory) {
  const UpgradeRequest request{fresh_key(), directory};
  return read_as<UpgradeReply>(ask("POST", route::upgrade, to_json_text(request)));
}

Result<WaitReply> Remote::wait(const WaitRequest& request, FdRef given_up) {
  given_up_ = given_up;
  return read_as<WaitReply>(ask("POST", route::wait, to_json_text(request, Absent::omit)));
}

Result<std::vector<JobView>> look_at(const Context& context, const std::vector<std::string>& selectors) {
  auto reply = Remote(context, NoInstance::offline).jobs(selectors);
  if (!reply) return pass(reply);
  return std::move(reply->jobs);
}

}  // namespace usvc
