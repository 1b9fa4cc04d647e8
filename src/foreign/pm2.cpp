#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/shell_words.h"
#include "base/text.h"
#include "foreign/draft.h"

namespace usvc::foreign {

namespace {

constexpr std::string_view no_readiness = "a job counts as started when it has run for its settle time";

constexpr std::string_view no_watching = "usvc watches no files; usvc restart when they have changed";
constexpr std::string_view looks_into_none = "usvc does not look into a program";
constexpr std::string_view own_logs = "each job has a log of its own; usvc log GROUP shows them as one";

constexpr std::array<Told, 46> keys_told_of_pm2{{
    {"watch", no_watching},
    {"ignore_watch", no_watching},
    {"watch_delay", no_watching},
    {"watch_options", no_watching},
    {"max_memory_restart", "usvc restarts no job for its memory; usvc top shows it"},
    {"cron_restart", "usvc has no timetable; a line in crontab can type usvc restart"},
    {"cron", "usvc has no timetable; a line in crontab can type usvc restart"},
    {"max_restarts", never_gives_up},
    {"min_uptime", never_gives_up},
    {"restart_delay", never_gives_up},
    {"exp_backoff_restart_delay", never_gives_up},
    {"wait_ready", no_readiness},
    {"listen_timeout", no_readiness},
    {"shutdown_with_message", "usvc stops jobs with a signal"},
    {"out_file", in_usvc_log},
    {"output", in_usvc_log},
    {"out", in_usvc_log},
    {"out_log", in_usvc_log},
    {"error_file", in_usvc_log},
    {"error", in_usvc_log},
    {"err_file", in_usvc_log},
    {"err_log", in_usvc_log},
    {"log_file", in_usvc_log},
    {"log", in_usvc_log},
    {"log_type", in_usvc_log},
    {"disable_logs", "usvc keeps what a job writes"},
    {"log_date_format", "usvc log -t shows when a line was written"},
    {"time", "usvc log -t shows when a line was written"},
    {"merge_logs", own_logs},
    {"combine_logs", own_logs},
    {"source_map_support", "usvc looks into no program; node_args: --enable-source-maps has node do it"},
    {"pid_file", "usvc pidof tells the pid"},
    {"pid", "usvc pidof tells the pid"},
    {"filter_env", "a job has the variables of whoever loads the file"},
    {"env_file", "name it in usvc start --env-file"},
    {"increment_var", "usvc counts no variable up"},
    {"post_update", "usvc has no pm2 pull"},
    {"name_prefix", "usvc adds nothing to names"},
    {"uid", "a job of usvc runs as whoever started it"},
    {"gid", "a job of usvc runs as whoever started it"},
    {"trace", looks_into_none},
    {"v8", looks_into_none},
    {"event_loop_inspector", looks_into_none},
    {"deep_monitoring", looks_into_none},
    {"io", looks_into_none},
    {"install_url", "usvc installs nothing"},
}};

// What means nothing where pm2 is not.
constexpr std::array<std::string_view, 12> idle_keys_of_pm2 = {
    "disable_source_map_support", "vizion",   "pmx",           "automation",      "force", "windowsHide",
    "append_env_to_name",         "username", "disable_trace", "kill_retry_time", "write", "execute_command"};

// By what pm2 runs a script with such an ending.
constexpr std::array<Told, 12> interpreters{{{".js", "node"},
                                             {".cjs", "node"},
                                             {".mjs", "node"},
                                             {".ts", "bun"},
                                             {".tsx", "bun"},
                                             {".coffee", "coffee"},
                                             {".ls", "lsc"},
                                             {".py", "python3"},
                                             {".sh", "bash"},
                                             {".rb", "ruby"},
                                             {".php", "php"},
                                             {".pl", "perl"}}};

std::string_view ending_of(std::string_view path) {
  const auto name = file_name_of(path);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos ? "" : name.substr(dot);
}

std::vector<std::string> words_of(const Node* node) {
  if (node == nullptr) return {};
  if (node->kind == Node::Kind::scalar) return split_shell_words(node->text).words;
  std::vector<std::string> words;
  words.reserve(node->children.size());
  for (const auto& child : node->children) words.push_back(child.text);
  return words;
}

class App {
 public:
  App(Reading& reading, const Node& node) : reading_(&reading), node_(&node) {
    script_ = text("script", text("exec", ""));
    const std::string_view file = file_name_of(script_);
    name_ = text("name", std::string(file.substr(0, file.size() - ending_of(file).size())));
    if (name_.empty()) name_ = "app";
  }

  void take() {
    if (node_->kind != Node::Kind::map) return reading_->wrong(node_->line, "an app is to be an object {…}");
    const long long count = instances();
    if (!reading_->reserve(count, node_->line)) return;
    std::string group = text("namespace", "default");
    if (group == "default") group = name_;
    for (long long i = 0; i < count && reading_->good(); ++i) {
      Draft draft(*reading_, name_, node_->line);
      tell_ = i == 0;
      draft.set("stop-signal", "INT", "", node_->line);
      const std::string counter = text("instance_var", "NODE_APP_INSTANCE");
      if (count > 1) draft.variable(counter, std::to_string(i), "instance_var", node_->line);
      if (const Node* cwd = node_->find("cwd")) draft.directory(cwd->text);
      for (const auto& child : node_->children) take_key(draft, child);
      draft.run(command(draft));
      draft.finish(count == 1 ? name_ : name_ + "-" + std::to_string(i + 1), group);
    }
  }

 private:
  [[nodiscard]] std::string text(std::string_view key, std::string otherwise) const {
    const Node* node = node_->find(key);
    if (node == nullptr || node->kind != Node::Kind::scalar) return otherwise;
    return node->text;
  }

  long long instances() {
    const Node* node = node_->find("instances");
    if (node == nullptr) return 1;
    const int cores = reading_->around().cores;
    if (node->text == "max") return cores;
    const auto number = parse_number(node->text);
    if (!number) {
      reading_->wrong(node->line, name_ + ": instances: '" + node->text + "' is neither a number nor max");
      return 0;
    }
    return *number > 0 ? *number : std::max<long long>(cores + *number, 1);
  }

  void say(Draft& draft, const Node& node, std::string_view what) {
    if (tell_) draft.tell(node.key, what, node.line);
  }

  void take_key(Draft& draft, const Node& node) {
    constexpr std::array<std::string_view, 14> taken = {"name",
                                                        "script",
                                                        "exec",
                                                        "cwd",
                                                        "args",
                                                        "interpreter",
                                                        "exec_interpreter",
                                                        "interpreter_args",
                                                        "node_args",
                                                        "interpreterArgs",
                                                        "instances",
                                                        "namespace",
                                                        "instance_var",
                                                        "nodeArgs"};
    const std::string& key = node.key;
    const bool known = std::find(taken.begin(), taken.end(), key) != taken.end() ||
                       std::find(idle_keys_of_pm2.begin(), idle_keys_of_pm2.end(), key) != idle_keys_of_pm2.end();
    if (known || take_life(draft, node) || take_environment(draft, node)) return;
    const Told* told = find_told(keys_told_of_pm2, key);
    if (told != nullptr) {
      if (!node.is_false()) say(draft, node, told->what);
    } else if (tell_) {
      std::vector<std::string> all(taken.begin(), taken.end());
      for (const auto& row : keys_told_of_pm2) all.emplace_back(row.key);
      all.insert(all.end(), {"autorestart", "autostart", "treekill", "kill_timeout", "exec_mode", "env", "user", "port",
                             "stop_exit_codes"});
      draft.unknown(key, all, node.line);
    }
  }

  bool take_life(Draft& draft, const Node& node) {
    if (node.key == "autorestart") {
      if (node.is_false()) draft.set("restart", "never", node.key, node.line);
    } else if (node.key == "autostart") {
      if (node.is_false()) draft.stopped();
    } else if (node.key == "treekill") {
      if (node.is_false()) say(draft, node, "what is killed is always the whole process tree");
    } else if (node.key == "kill_timeout") {
      draft.set("stop-timeout", node.text + "ms", node.key, node.line);
    } else if (node.key == "stop_exit_codes") {
      const bool zero = node.text == "0" || (node.children.size() == 1 && node.children.front().text == "0");
      if (zero) draft.set("restart", "on-failure", node.key, node.line);
      if (!zero) say(draft, node, "only 0 can be an end that is not followed by a restart (restart = on-failure)");
    } else if (node.key == "exec_mode") {
      if (!node.text.starts_with("cluster")) return true;
      say(draft, node,
          "each copy is a program of its own and shares no port: give them one each, by NODE_APP_INSTANCE");
    } else if (node.key == "user") {
      if (tell_) draft.user(node.key, node.text, node.line);
    } else {
      return false;
    }
    return true;
  }

  bool take_environment(Draft& draft, const Node& node) {
    if (node.key == "env") {
      if (node.kind != Node::Kind::map) draft.wrong(node.key, "it is to be an object {…}", node.line);
      for (const auto& variable : node.children) {
        const bool plain = variable.kind == Node::Kind::scalar && !variable.key.empty();
        if (plain) draft.variable(variable.key, variable.text, node.key, variable.line);
        if (!plain) say(draft, variable, "a variable that is no text, and is left out");
      }
      return true;
    }
    if (node.key == "port") {
      draft.variable("PORT", node.text, node.key, node.line);
      return true;
    }
    if (!node.key.starts_with("env_") || node.key == "env_file") return false;
    say(draft, node, "only env is taken over, nothing is chosen by --env");
    return true;
  }

  // The script, and what it is run by.
  std::vector<std::string> command(const Draft& draft) const {
    if (script_.empty()) return {};
    std::string interpreter = text("interpreter", text("exec_interpreter", ""));
    const Told* known = find_told(interpreters, ending_of(script_));
    if (interpreter.empty()) interpreter = known == nullptr ? "none" : known->what;
    std::vector<std::string> words;
    const auto own = path_from(script_, draft.cwd());
    if (interpreter != "none") {
      words.push_back(interpreter);
      for (const auto* key : {"node_args", "nodeArgs", "interpreter_args", "interpreterArgs"}) {
        for (auto& word : words_of(node_->find(key))) words.push_back(std::move(word));
      }
      words.push_back(own);
    } else {
      words.push_back(draft.find(own) ? own : script_);
    }
    for (auto& word : words_of(node_->find("args"))) words.push_back(std::move(word));
    return words;
  }

  Reading* reading_;
  const Node* node_;
  std::string script_;
  std::string name_;
  bool tell_ = true;
};

// JavaScript's comments made blanks, which leaves all lines where they are. In YAML's plain words, such as an address,
// // is none.
std::string without_comments(std::string_view text) {
  constexpr std::string_view before_comment = " \t\r\n,:{}[]\"'";
  std::string out(text);
  const auto blank = [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = out[i] == '\n' ? '\n' : ' ';
    return end;
  };
  const std::size_t last_end = text.rfind("*/");
  char quote = 0;
  for (std::size_t i = 0; i < text.size();) {
    const bool free = quote == 0 && (i == 0 || before_comment.find(out[i - 1]) != std::string_view::npos);
    const auto rest = text.substr(i);
    if (free && rest.starts_with("//") && (i == 0 || out[i - 1] != ':')) {
      i = blank(i, std::min(text.find('\n', i), text.size()));
    } else if (free && rest.starts_with("/*") && last_end != std::string_view::npos && last_end >= i + 2) {
      i = blank(i, text.find("*/", i + 2) + 2);
    } else if (quote != 0 && text[i] == '\\') {
      i += 2;
    } else {
      if (free && (text[i] == '"' || text[i] == '\'')) {
        quote = text[i];
      } else if (text[i] == quote) {
        quote = 0;
      }
      ++i;
    }
  }
  return out;
}

}  // namespace

// {"apps": […]}, a list of apps, or a single one; also as YAML.
Result<Imported> import_pm2(std::string_view text, const Surroundings& around) {
  const std::string_view beginning = trim(text);
  const bool json = beginning.starts_with('{') || beginning.starts_with('[') || beginning.starts_with('/');
  auto root = json ? read_json(text, around.file) : read_yaml(text, around.file);
  // pm2 has a .json run as JavaScript: names without quotes are YAML too, the rest has to be run.
  if (!root && json) {
    if (auto yaml = read_yaml(without_comments(text), around.file)) {
      root = std::move(yaml);
    } else {
      return fail(std::move(root).error().hint("where it is JavaScript, node makes JSON of it: man usvc-load"));
    }
  }
  if (!root) return pass(root);
  Reading reading(around);
  const Node* apps = root->find("apps");
  if (apps == nullptr) apps = &*root;
  if (apps->kind == Node::Kind::map && apps->find("script") == nullptr) {
    return fail(around.file + ":" + std::to_string(apps->line) + ": there are no \"apps\" in it");
  }
  for (const auto& part : root->children) {
    if (part.key == "deploy") reading.tell(part.line, "deploy: usvc deploys nothing");
  }
  if (apps->kind == Node::Kind::list) {
    for (const auto& app : apps->children) App(reading, app).take();
  } else {
    App(reading, *apps).take();
  }
  return std::move(reading).result();
}

}  // namespace usvc::foreign
