#include <algorithm>
#include <array>

#include "base/text.h"
#include "foreign/draft.h"

namespace usvc::foreign {

namespace {

constexpr std::string_view no_probe = "usvc asks no job how it is; it counts as started when it has run for settle";

constexpr std::array<Told, 17> keys_told_of_compose{{
    {"depends_on", "all jobs are started at once, none waits for another"},
    {"readiness_probe", no_probe},
    {"liveness_probe", no_probe},
    {"ready_log_line", no_probe},
    {"launch_timeout_seconds", no_probe},
    {"log_location", "its output is in usvc's own log (usvc log)"},
    {"log_configuration", "its output is in usvc's own log (usvc log), as it was written"},
    {"is_elevated", "a job of usvc runs as whoever started it"},
    {"is_daemon", "usvc follows a program that puts itself into the background only to stop it: have it stay"},
    {"is_foreground", "usvc attach shows a job's terminal"},
    {"vars", "templates ({{…}}) are not filled in"},
    {"schedule", "usvc has no timetable; a line in crontab can type usvc start"},
    {"is_strict", "usvc names every key that it does not know"},
    {"disable_ansi_colors", "usvc keeps what a job writes as it was written"},
    {"extends", "the file it names is not read; load that too"},
    {"env_cmds", "usvc runs no command for a variable's value"},
    {"watch", "usvc watches no files; usvc restart when they have changed"},
}};

constexpr std::array<std::string_view, 5> idle_keys_of_compose = {"description", "name", "namespace", "replicas",
                                                                  "is_dotenv_disabled"};

// $NAME and ${NAME} of what is known; the others are left for a shell to see. $$ is a $.
std::string expand(std::string_view text, const std::vector<std::string>& env) {
  constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const auto rest = text.substr(i);
    const bool braces = rest.starts_with("${");
    const auto begin = braces ? 2U : 1U;
    const auto name = rest.substr(std::min<std::size_t>(begin, rest.size()));
    const auto length = std::min(name.find_first_not_of(letters), name.size());
    const bool whole = !braces || (length < name.size() && name[length] == '}');
    std::string value;
    if (rest.starts_with("$$")) {
      out += '$';
      ++i;
    } else if (length > 0 && whole && lookup(env, name.substr(0, length), value) != nullptr) {
      out += value;
      i += begin + length + (braces ? 1 : 0) - 1;
    } else {
      out += rest.front();
    }
  }
  return out;
}

class Compose {
 public:
  explicit Compose(const Surroundings& around) : reading_(around), env_(around.env) {}

  Result<Imported> run(const Node& root) {
    dotenv_ = dotenv_beside(reading_);
    env_.insert(env_.end(), dotenv_.begin(), dotenv_.end());
    expands_ = root.find("disable_env_expansion") == nullptr || root.find("disable_env_expansion")->is_false();
    take_shell(root.find("shell"));
    take_root(root);
    if (const Node* processes = root.find("processes")) {
      for (const auto& process : processes->children) take_process(process);
    }
    return std::move(reading_).result();
  }

 private:
  void take_root(const Node& root) {
    constexpr std::array<std::string_view, 9> idle = {
        "version", "processes",       "environment",           "log_level", "log_length",
        "shell",   "is_tui_disabled", "disable_env_expansion", "is_strict"};
    for (const auto& part : root.children) {
      if (part.key == "environment") {
        globals_ = &part;
      } else if (std::find(idle.begin(), idle.end(), part.key) == idle.end() && !part.is_false()) {
        const Told* told = find_told(keys_told_of_compose, part.key);
        const std::string what(told == nullptr ? "usvc has nothing like it and passes over it" : told->what);
        reading_.tell(part.line, part.key + ": " + what);
      }
    }
  }

  // bash, as process-compose has it, where there is one.
  void take_shell(const Node* shell) {
    const auto word = [&](std::string_view key, std::string otherwise) {
      const Node* node = shell == nullptr ? nullptr : shell->find(key);
      return node == nullptr ? otherwise : node->text;
    };
    const auto& around = reading_.around();
    std::string standard = around.find("bash", around.directory, "/usr/local/bin:/usr/bin:/bin") ? "bash" : "/bin/sh";
    shell_ = {word("shell_command", std::move(standard)), word("shell_argument", "-c")};
  }

  // `key`: what it belongs to, which the items of a list do not say themselves.
  std::string text_of(Draft& draft, const Node& node, std::string_view key) {
    if (tell_ && node.text.find("{{") != std::string::npos) {
      draft.tell(key, "templates ({{…}}) are not filled in", node.line);
    }
    return expands_ ? expand(node.text, env_) : node.text;
  }

  void take_process(const Node& process) {
    if (process.kind != Node::Kind::map) {
      return reading_.wrong(process.line, process.key + ": a process is to be a map of keys");
    }
    const Node* replicas = process.find("replicas");
    const auto count = replicas == nullptr ? 1 : parse_number(replicas->text).value_or(0);
    if (count < 1) {
      return reading_.wrong(replicas->line,
                            process.key + ": replicas: '" + replicas->text + "' is no number from 1 on");
    }
    if (!reading_.reserve(count, process.line)) return;
    const Node* space = process.find("namespace");
    const bool own = space == nullptr || space->text.empty() || space->text == "default";
    for (long long i = 0; i < count && reading_.good(); ++i) {
      tell_ = i == 0;
      Draft draft(reading_, process.key, process.line);
      take_replica(draft, process, i);
      draft.finish(count == 1 ? process.key : process.key + "-" + std::to_string(i), own ? process.key : space->text);
    }
  }

  void take_replica(Draft& draft, const Node& process, long long number) {
    const Node* no_dotenv = process.find("is_dotenv_disabled");
    if (no_dotenv == nullptr || no_dotenv->is_false()) {
      for (const auto& assignment : dotenv_) take_assignment(draft, assignment, ".env", process.line);
    }
    if (globals_ != nullptr) take_environment(draft, *globals_);
    draft.variable("PC_PROC_NAME", process.key, "", process.line);
    draft.variable("PC_REPLICA_NUM", std::to_string(number), "", process.line);
    draft.set("restart", "never", "", process.line);
    draft.set("tty", "false", "", process.line);
    tell_overridden_entrypoint(draft, process);
    for (const auto& part : process.children) take_key(draft, part);
  }

  // Of both process-compose takes the command, and so does finish().
  void tell_overridden_entrypoint(Draft& draft, const Node& process) {
    const Node* command = process.find("command");
    const Node* entrypoint = process.find("entrypoint");
    if (!tell_ || entrypoint == nullptr || command == nullptr || trim(command->text).empty()) return;
    draft.tell("entrypoint", "there is a command too, and that is run instead", entrypoint->line);
  }

  static void take_assignment(Draft& draft, const std::string& assignment, std::string_view theirs, int line) {
    const auto equals = assignment.find('=');
    if (equals == std::string::npos) return draft.wrong(theirs, "'" + assignment + "' is no K=V", line);
    draft.variable(assignment.substr(0, equals), assignment.substr(equals + 1), theirs, line);
  }

  void take_environment(Draft& draft, const Node& node) {
    for (const auto& variable : node.children) {
      if (!variable.key.empty()) {
        draft.variable(variable.key, text_of(draft, variable, variable.key), node.key, variable.line);
      } else {
        take_assignment(draft, text_of(draft, variable, node.key), node.key, variable.line);
      }
    }
  }

  void take_key(Draft& draft, const Node& part) {
    const std::string& key = part.key;
    if (std::find(idle_keys_of_compose.begin(), idle_keys_of_compose.end(), key) != idle_keys_of_compose.end()) return;
    if (take_run(draft, part) || take_nested(draft, part)) return;
    if (key == "disabled") {
      if (!part.is_false()) draft.stopped();
    } else if (key == "is_tty" || key == "is_interactive") {
      if (!part.is_false()) draft.set("tty", "true", key, part.line);
    } else if (const Told* told = find_told(keys_told_of_compose, key)) {
      if (tell_ && !part.is_false()) draft.tell(key, told->what, part.line);
    } else if (tell_) {
      std::vector<std::string> known = {"command",      "entrypoint", "working_dir", "environment", "env_file",
                                        "availability", "shutdown",   "disabled",    "is_tty"};
      known.insert(known.end(), idle_keys_of_compose.begin(), idle_keys_of_compose.end());
      for (const auto& row : keys_told_of_compose) known.emplace_back(row.key);
      draft.unknown(key, known, part.line);
    }
  }

  bool take_run(Draft& draft, const Node& part) {
    if (part.key == "command") {
      draft.run_line(std::string(trim(text_of(draft, part, part.key))), shell_);
    } else if (part.key == "entrypoint") {
      std::vector<std::string> words;
      words.reserve(part.children.size());
      for (const auto& word : part.children) words.push_back(text_of(draft, word, part.key));
      draft.run(std::move(words));
    } else if (part.key == "working_dir") {
      draft.directory(text_of(draft, part, part.key));
    } else if (part.key == "environment") {
      take_environment(draft, part);
    } else if (part.key == "env_file") {
      const std::string file = path_from(text_of(draft, part, part.key), reading_.around().directory);
      auto text = reading_.around().read(file);
      if (!text) draft.wrong(part.key, text.error().message(), part.line);
      if (text) {
        for (const auto& assignment : dotenv(reading_, *text, file)) {
          take_assignment(draft, assignment, part.key, part.line);
        }
      }
    } else {
      return false;
    }
    return true;
  }

  bool take_nested(Draft& draft, const Node& part) {
    if (part.key != "availability" && part.key != "shutdown") return false;
    for (const auto& inner : part.children) {
      const std::string key = part.key + "." + inner.key;
      if (inner.key == "restart") {
        take_restart(draft, inner, key);
      } else if (inner.key == "signal") {
        draft.set("stop-signal", inner.text, key, inner.line);
      } else if (inner.key == "timeout_seconds") {
        draft.set("stop-timeout", inner.text, key, inner.line);
      } else if (tell_ && !inner.is_false()) {
        draft.tell(key, what_instead(inner.key), inner.line);
      }
    }
    return true;
  }

  static void take_restart(Draft& draft, const Node& node, const std::string& key) {
    const std::string& when = node.text;
    if (when == "always") {
      draft.set("restart", "always", key, node.line);
    } else if (when == "on_failure" || when == "on-failure") {
      draft.set("restart", "on-failure", key, node.line);
    } else if (when == "exit_on_failure") {
      draft.tell(key, "it is not restarted, and the others run on", node.line);
    } else if (when != "no" && when != "never" && when != "false" && !when.empty()) {
      draft.wrong(key, "'" + when + "' is not known here (always, on_failure, exit_on_failure or no)", node.line);
    }
  }

  static std::string_view what_instead(std::string_view key) {
    if (key == "backoff_seconds" || key == "max_restarts") return never_gives_up;
    if (key == "exit_on_end" || key == "exit_on_skipped") return "when one job ends the others run on";
    if (key == "command") return "usvc stops jobs with a signal";
    if (key == "parent_only") return "usvc always ends the whole process tree";
    return "usvc has nothing like it and passes over it";
  }

  Reading reading_;
  std::vector<std::string> env_;  // what is expanded
  std::vector<std::string> dotenv_;
  std::vector<std::string> shell_;
  const Node* globals_ = nullptr;
  bool expands_ = true;
  bool tell_ = true;
};

}  // namespace

Result<Imported> import_compose(std::string_view text, const Surroundings& around) {
  auto root = read_yaml(text, around.file);
  if (!root) return pass(root);
  if (root->find("processes") == nullptr) {
    const bool docker = root->find("services") != nullptr;
    return fail(around.file + ":1: there are no processes in it" +
                (docker ? ": this is a set of containers, for docker compose" : ""));
  }
  return Compose(around).run(*root);
}

}  // namespace usvc::foreign
