// The manager as the commands see it: typed questions and answers. A question whose answer was lost is asked again,
// with the same idempotency key, until a manager that is being replaced is back.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/fd.h"
#include "cli/context.h"
#include "shapes/requests.h"
#include "shapes/views.h"

namespace usvc {

// What to do when no instance runs.
enum class NoInstance {
  start,    // start it
  offline,  // ask what is on disk
  refuse,   // an error
};

class Remote {
 public:
  // `verb` is for the error of NoInstance::refuse: "nothing to VERB".
  Remote(const Context& context, NoInstance policy, std::string verb = {})
      : context_(&context), policy_(policy), verb_(std::move(verb)) {}

  Result<JobsReply> jobs(const std::vector<std::string>& selectors);
  // The same, asked once and without patience, and nothing is said: where nobody answers soon, what is on disk, or with
  // NoInstance::refuse an error (ErrorKind::unreachable).
  Result<JobsReply> glance(const std::vector<std::string>& selectors = {});
  // At once, or an error: what runs may be in trouble.
  Result<VarsView> vars();
  // As the other questions: a manager that is being replaced is waited for.
  Result<VarsView> await_vars();
  Result<ConfView> conf(const std::string& name);
  Result<ConfView> set_conf(const std::string& name, const std::string& entry, const std::string& value);
  Result<SaveReply> save(const std::vector<std::string>& selectors);
  // The key is filled in here in all of these.
  // `input`: the job's stdin, where the request says that there is one.
  Result<OutcomesReply> make_jobs(StartRequest request, FdRef input = FdRef(-1));
  Result<OutcomesReply> select(const char* route, SelectRequest request);
  Result<OutcomesReply> load(LoadRequest request);
  Result<OutcomesReply> shutdown();
  Result<UpgradeReply> upgrade(const std::string& directory);
  // `given_up` (-1: none) can be read when the answer is not wanted any more; then there is an error instead.
  Result<WaitReply> wait(const WaitRequest& request, FdRef given_up = FdRef(-1));
  // Whether the instance had to be started for a question.
  [[nodiscard]] bool started() const { return started_; }

 private:
  Result<std::string> ask(std::string_view method, const std::string& target, const std::string& body = {},
                          FdRef lent = FdRef(-1));
  Result<std::string> ask_shortly(const std::string& target);
  Result<std::string> ask_disk(std::string_view method, const std::string& target, const std::string& body);
  Result<std::string> give_up(Error error, std::string_view method, const std::string& target);
  [[nodiscard]] Error nobody() const;

  const Context* context_;
  NoInstance policy_;
  std::string verb_;
  bool started_ = false;
  FdRef given_up_ = FdRef(-1);
};

// The jobs a command line names, for commands that show something; at least one, or ErrorKind::no_match when words were
// given.
Result<std::vector<JobView>> look_at(const Context& context, const std::vector<std::string>& selectors);

}  // namespace usvc
