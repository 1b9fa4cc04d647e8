#include <string>

#include "cli/command.h"
#include "cli/json_out.h"
#include "cli/remote.h"

namespace usvc::command {

Result<int> vars(const Invocation& invocation) {
  if (auto status = need_no_words(invocation, "vars"); !status) return pass(status);
  auto view = Remote(invocation.context, NoInstance::offline).vars();
  if (!view) return pass(view);
  if (invocation.context.json) {
    if (auto status = print_json(*view); !status) return pass(status);
    return 0;
  }
  std::string text;
  const json::value settings = to_json(*view);
  for (const auto& pair : settings.as_object()) {
    text.append(pair.key().data(), pair.key().size());
    text += '=';
    if (pair.value().is_string()) {
      text.append(pair.value().get_string().data(), pair.value().get_string().size());
    } else if (!pair.value().is_null()) {
      text += json_text(pair.value());
    }
    text += '\n';
  }
  if (auto status = print(text); !status) return pass(status);
  return 0;
}

}  // namespace usvc::command
