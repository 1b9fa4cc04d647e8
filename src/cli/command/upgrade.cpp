#include <string>

#include "cli/command.h"
#include "cli/instance.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

namespace {

std::string change(const std::string& from, const std::string& to) {
  return from == to ? to + " (the same version)" : from + " -> " + to;
}

}  // namespace

Result<int> upgrade(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "upgrade"); !status) return pass(status);
  const Context& context = invocation.context;
  auto directory = helper_directory();
  if (!directory) return pass(directory);
  auto reply = Remote(context, NoInstance::refuse, "upgrade").upgrade(*directory);
  if (!reply) return pass(reply);
  auto status = context.json ? print_json(*reply)
                             : say(context, "manager " + change(reply->manager_from, reply->manager_to) + ", keeper " +
                                                change(reply->keeper_from, reply->keeper_to));
  if (!status) return pass(status);
  return 0;
}

}  // namespace usvc::command
