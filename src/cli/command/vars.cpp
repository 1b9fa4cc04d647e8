#include <fmt/core.h>

#include <string>

#include "cli/boot.h"
#include "cli/command.h"
#include "cli/remote.h"

namespace usvc::command {

Result<int> vars(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "vars"); !status) return pass(status);
  auto view = Remote(invocation.context, NoInstance::offline).vars();
  if (!view) return pass(view);
  const json::object settings = vars_with_boot(*view, invocation.context);
  if (invocation.context.json) {
    if (auto status = print(json_text(settings) + "\n"); !status) return pass(status);
    return 0;
  }
  std::string text;
  for (const auto& pair : settings) {
    text.append(pair.key().data(), pair.key().size());
    text += '=';
    if (pair.value().is_string()) {
      text.append(pair.value().get_string().data(), pair.value().get_string().size());
    } else if (pair.value().is_double()) {
      text += fmt::format("{:.3f}", pair.value().get_double());
    } else if (!pair.value().is_null()) {
      text += json_text(pair.value());
    }
    text += '\n';
  }
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
