#include <algorithm>
#include <array>
#include <climits>
#include <map>
#include <optional>

#include "base/shell_words.h"
#include "base/text.h"
#include "foreign/draft.h"
#include "foreign/ini.h"
#include "job/options.h"

namespace usvc::foreign {

namespace {

using Facts = std::map<std::string, std::string, std::less<>>;
constexpr std::string_view program_section = "program:";
constexpr std::string_view group_section = "group:";

constexpr std::string_view all_at_once = "all jobs are started at once, in no order";

constexpr std::array<Told, 17> keys_told_of_supervisord{{
    {"startretries", "usvc does not give up: it waits longer and longer between two tries"},
    {"priority", all_at_once},
    {"stdout_logfile", in_usvc_log},
    {"stderr_logfile", "kept apart as NAME.err.log beside usvc's own log (usvc log)"},
    {"stderr_logfile_maxbytes", "the size of both logs is that of stdout's"},
    {"stderr_logfile_backups", "the number of both old logs is that of stdout's"},
    {"stdout_capture_maxbytes", "usvc has no events in a job's output"},
    {"stderr_capture_maxbytes", "usvc has no events in a job's output"},
    {"stdout_events_enabled", "usvc has no events in a job's output"},
    {"stderr_events_enabled", "usvc has no events in a job's output"},
    {"stdout_syslog", "its output is in usvc's own log (usvc log), not in syslog"},
    {"stderr_syslog", "its output is in usvc's own log (usvc log), not in syslog"},
    {"serverurl", "there is no supervisord that the program could call"},
    {"stopasgroup", "the stop signal always goes to the whole process group"},
    {"killasgroup", "what is killed is always the whole process tree"},
    {"exitcodes", "only 0 is an end that is not followed by a restart"},
    {"socket", "usvc hands no sockets to jobs"},
}};

// What [supervisord] says of programs; the rest is about itself.
constexpr std::array<Told, 5> keys_told_of_the_server{{
    {"minfds", "each job has the limits of whoever loads the file (limit = nofile …)"},
    {"minprocs", "each job has the limits of whoever loads the file (limit = nproc …)"},
    {"childlogdir", "logs are where usvc keeps them (usvc log --path)"},
    {"strip_ansi", "usvc keeps what a job writes as it was written"},
    {"user", "a job of usvc runs as whoever started it"},
}};

// About supervisord itself: that usvc has no such thing takes nothing from a job.
constexpr std::array<std::string_view, 4> idle_sections = {"unix_http_server", "supervisorctl",
                                                           "rpcinterface:", "ctlplugin:"};

// Python's "%(NAME)s" and "%(NAME)02d".
class Expansion {
 public:
  Expansion(const Facts& facts, const std::vector<std::string>& env) : facts_(&facts), env_(&env) {}

  Result<std::string> expand(std::string_view text) const {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out += text[i];
      } else if (text.substr(i).starts_with("%%")) {
        out += '%';
        ++i;
      } else {
        auto end = replace(text, i, out);
        if (!end) return pass(end);
        i = *end;
      }
    }
    return out;
  }

 private:
  // Returns where the conversion ends.
  Result<std::size_t> replace(std::string_view text, std::size_t at, std::string& out) const {
    const auto close = text.find(')', at);
    const auto end = text.find_first_not_of("0123456789", close == std::string_view::npos ? close : close + 1);
    const bool whole = text.substr(at).starts_with("%(") && close != std::string_view::npos &&
                       end != std::string_view::npos && (text[end] == 's' || text[end] == 'd');
    if (!whole) return fail("a % that begins no %(NAME)s (write %% for a percent sign)");
    const std::string name(text.substr(at + 2, close - at - 2));
    const auto value = value_of(name);
    if (!value) return fail("%(" + name + ") is not known here");
    const auto format = text.substr(close + 1, end - close - 1);
    const auto width = std::min<long long>(parse_number(format.empty() ? "0" : format).value_or(0), 64);
    const char filling = format.starts_with('0') && text[end] == 'd' ? '0' : ' ';
    if (std::cmp_less(value->size(), width)) out.append(static_cast<std::size_t>(width) - value->size(), filling);
    out += *value;
    return end;
  }

  [[nodiscard]] std::optional<std::string> value_of(std::string_view name) const {
    constexpr std::string_view variable = "ENV_";
    if (const auto fact = facts_->find(name); fact != facts_->end()) return fact->second;
    std::string storage;
    if (!name.starts_with(variable) || lookup(*env_, name.substr(variable.size()), storage) == nullptr) return {};
    return storage;
  }

  const Facts* facts_;
  const std::vector<std::string>* env_;
};

struct Assignments {
  std::vector<std::pair<std::string, std::string>> list;
  bool good = true;
};

// KEY="value",KEY2=value2 with either quote, over several lines if need be.
Assignments assignments_of(std::string_view text) {
  constexpr std::string_view blank = " \t\n\r,";
  Assignments found;
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(blank), text.size()));
    if (text.empty()) return found;
    const auto equals = text.find('=');
    const std::string key(trim(text.substr(0, equals)));
    if (equals == std::string_view::npos || key.empty()) break;
    text = text.substr(equals + 1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const bool quoted = !text.empty() && (text.front() == '"' || text.front() == '\'');
    const auto end = quoted ? text.find(text.front(), 1) : std::min(text.find_first_of(",\n"), text.size());
    if (end == std::string_view::npos) break;
    found.list.emplace_back(key, quoted ? text.substr(1, end - 1) : trim(text.substr(0, end)));
    text.remove_prefix(quoted ? end + 1 : end);
  }
  found.good = false;
  return found;
}

// One process of a [program:…].
class Process {
 public:
  Process(Reading& reading, const IniSection& section, std::string name, Facts facts)
      : draft_(reading, std::move(name), section.line),
        section_(&section),
        facts_(std::move(facts)),
        expansion_(facts_, reading.around().env) {}

  Draft& draft() { return draft_; }

  void take_all(const std::vector<IniEntry>& defaults, bool tell) {
    tell_ = tell;
    for (const auto& entry : defaults) take(entry);
    draft_.set("restart", "on-failure", "", section_->line);
    for (const auto& entry : section_->entries) take(entry);
  }
  std::string value(std::string_view key, std::string_view otherwise) {
    const auto& all = section_->entries;
    const auto entry = std::find_if(all.begin(), all.end(), [&](const IniEntry& e) { return e.key == key; });
    if (entry == all.end()) return expanded(std::string(otherwise), key, section_->line);
    return expanded(entry->value, key, entry->line);
  }

 private:
  std::string expanded(const std::string& text, std::string_view key, int line) {
    auto value = expansion_.expand(text);
    if (!value) draft_.wrong(key, value.error().message(), line);
    return value.value_or("");
  }

  void say(const IniEntry& entry, std::string_view what) {
    if (tell_) draft_.tell(entry.key, what, entry.line);
  }

  void take(const IniEntry& entry) {
    const std::string& key = entry.key;
    if (key == "process_name" || key == "numprocs" || key == "numprocs_start") return;
    const std::string value = expanded(entry.value, key, entry.line);
    if (take_run(entry, value) || take_life(entry, value) || take_log(entry, value)) return;
    const Told* told = find_told(keys_told_of_supervisord, key);
    if (told == nullptr) return unknown(entry);
    const bool group = key == "stopasgroup" || key == "killasgroup";
    const bool log = key == "stdout_logfile" && (value == "AUTO" || value.empty());
    const bool idle = parse_boolean(value) == false && key.find("_events_") != std::string::npos;
    const bool same = log || idle || (group && parse_boolean(value) == true) || (key == "exitcodes" && value == "0");
    if (!same) say(entry, told->what);
  }

  bool take_run(const IniEntry& entry, const std::string& value) {
    if (entry.key == "command") {
      auto words = split_shell_words(value);
      if (words.open) draft_.wrong(entry.key, "a quote in it is not closed", entry.line);
      draft_.run(std::move(words.words));
    } else if (entry.key == "directory") {
      draft_.directory(home_expanded(value));
    } else if (entry.key == "environment") {
      const auto assignments = assignments_of(value);
      if (!assignments.good) draft_.wrong(entry.key, "this is no KEY=\"value\",KEY=\"value\"", entry.line);
      for (const auto& [name, text] : assignments.list) draft_.variable(name, text, entry.key, entry.line);
    } else if (entry.key == "umask") {
      draft_.set("umask", value, entry.key, entry.line);
    } else if (entry.key == "user") {
      if (tell_) draft_.user(entry.key, value, entry.line);
    } else {
      return false;
    }
    return true;
  }

  bool take_life(const IniEntry& entry, const std::string& value) {
    if (entry.key == "autostart") {
      const auto on = boolean(entry, value);
      if (on == false) draft_.stopped();
    } else if (entry.key == "autorestart") {
      if (value == "unexpected") return true;
      const auto on = boolean(entry, value);
      if (on) draft_.set("restart", *on ? "always" : "never", entry.key, entry.line);
    } else if (entry.key == "startsecs") {
      draft_.set("settle", value, entry.key, entry.line);
    } else if (entry.key == "stopsignal") {
      draft_.set("stop-signal", value, entry.key, entry.line);
    } else if (entry.key == "stopwaitsecs") {
      draft_.set("stop-timeout", value, entry.key, entry.line);
    } else {
      return false;
    }
    return true;
  }

  bool take_log(const IniEntry& entry, const std::string& value) {
    if (entry.key == "redirect_stderr") {
      if (boolean(entry, value) == false) keep_errors_apart(entry);
    } else if (entry.key == "stdout_logfile_maxbytes") {
      const std::string size = value.ends_with('B') ? value.substr(0, value.size() - 1) : value;
      if (size == "0") {
        say(entry, "usvc's logs are always rotated: at 64M where nothing else is said (log-max-size)");
      } else {
        draft_.set("log-max-size", size, entry.key, entry.line);
      }
    } else if (entry.key == "stdout_logfile_backups") {
      draft_.set("log-keep", value, entry.key, entry.line);
    } else if (entry.key == "stderr_logfile") {
      if (redirected()) return true;  // supervisord does not heed it either
      keep_errors_apart(entry);
      if (value == "NONE" || value == "/dev/null") say(entry, "usvc keeps what a job writes (usvc log)");
      return value == "AUTO" || value == "NONE" || value == "/dev/null" || value.empty();  // else told
    } else {
      return false;
    }
    return true;
  }

  void keep_errors_apart(const IniEntry& entry) {
    draft_.set("tty", "false", entry.key, entry.line);
    draft_.set("split", "true", entry.key, entry.line);
  }

  bool redirected() { return parse_boolean(value("redirect_stderr", "false")) == true; }

  std::optional<bool> boolean(const IniEntry& entry, const std::string& value) {
    const auto parsed = parse_boolean(value);
    if (!parsed) draft_.wrong(entry.key, "'" + value + "' is neither true nor false", entry.line);
    return parsed;
  }

  std::string home_expanded(const std::string& path) {
    std::string home;
    const bool own = path == "~" || path.starts_with("~/");
    if (!own || lookup(draft_.reading().around().env, "HOME", home) == nullptr) return path;
    return home + path.substr(1);
  }

  void unknown(const IniEntry& entry) {
    if (!tell_) return;
    std::vector<std::string> known = {"command",      "directory",    "environment",    "autostart", "autorestart",
                                      "startsecs",    "stopsignal",   "numprocs",       "umask",     "user",
                                      "stopwaitsecs", "process_name", "redirect_stderr"};
    for (const auto& row : keys_told_of_supervisord) known.emplace_back(row.key);
    draft_.unknown(entry.key, known, entry.line);
  }

  Draft draft_;
  const IniSection* section_;
  Facts facts_;
  Expansion expansion_;
  bool tell_ = true;
};

class Supervisord {
 public:
  explicit Supervisord(const Surroundings& around) : reading_(around) {}

  Result<Imported> run(const std::vector<IniSection>& sections) {
    for (const auto& section : sections) take_surroundings(section);
    for (const auto& section : sections) {
      if (section.name.starts_with(program_section)) take_program(section);
    }
    return std::move(reading_).result();
  }

 private:
  void take_surroundings(const IniSection& section) {
    const std::string& name = section.name;
    if (name.starts_with(group_section)) {
      take_group(section);
    } else if (name == "supervisord") {
      for (const auto& entry : section.entries) take_default(entry);
    } else if (name == "include") {
      reading_.tell(section.line, "[include]: the files it names are not read; load each of them too");
    } else if (name.starts_with("eventlistener:") || name.starts_with("fcgi-program:")) {
      reading_.tell(section.line, "[" + name + "]: left out: usvc has no such thing", true);
    } else if (name == "inet_http_server") {
      reading_.tell(section.line, "[inet_http_server]: usvc answers on no network; its API is a socket (man usvc-api)");
    } else if (!name.starts_with(program_section) &&
               std::none_of(idle_sections.begin(), idle_sections.end(),
                            [&](auto idle) { return idle.ends_with(':') ? name.starts_with(idle) : name == idle; })) {
      reading_.tell(section.line, "[" + name + "]: usvc knows no such section and passes over it");
    }
  }

  void take_default(const IniEntry& entry) {
    if (entry.key == "environment" || entry.key == "umask" || entry.key == "directory") defaults_.push_back(entry);
    const Told* told = find_told(keys_told_of_the_server, entry.key);
    if (told == nullptr || parse_boolean(entry.value) == false) return;
    if (entry.key == "user" && entry.value == reading_.around().user) return;
    reading_.tell(entry.line, "[supervisord]: " + entry.key + ": " + std::string(told->what));
  }

  void take_group(const IniSection& section) {
    const std::string group = section.name.substr(group_section.size());
    for (const auto& entry : section.entries) {
      if (entry.key == "programs") {
        for (const auto program : split(entry.value, ',')) groups_[std::string(trim(program))] = group;
      } else {
        reading_.tell(entry.line, "group " + group + ": " + entry.key + ": " + std::string(all_at_once));
      }
    }
  }

  void take_program(const IniSection& section) {
    const std::string program(trim(section.name.substr(program_section.size())));
    const auto known = groups_.find(program);
    const std::string group = known == groups_.end() ? program : known->second;
    Facts facts = {{"program_name", program},
                   {"group_name", group},
                   {"host_node_name", reading_.around().host},
                   {"here", reading_.around().directory},
                   {"process_num", "0"},
                   {"numprocs", "1"}};
    Process first(reading_, section, program, facts);
    const auto count = parse_number(first.value("numprocs", "1")).value_or(0);
    const auto begin = parse_number(first.value("numprocs_start", "0")).value_or(-1);
    if (count < 1) return first.draft().wrong("numprocs", "a number from 1 on", section.line);
    if (begin < 0 || begin > INT_MAX) return first.draft().wrong("numprocs_start", "a number from 0 on", section.line);
    if (!reading_.reserve(count, section.line)) return;
    facts["numprocs"] = std::to_string(count);
    for (long long i = 0; i < count && reading_.good(); ++i) {
      facts["process_num"] = std::to_string(begin + i);
      Process process(reading_, section, program, facts);
      process.take_all(defaults_, i == 0);
      const std::string standard = count == 1 ? "%(program_name)s" : "%(program_name)s_%(process_num)02d";
      process.draft().finish(process.value("process_name", standard), group);
    }
  }

  Reading reading_;
  std::map<std::string, std::string> groups_;
  std::vector<IniEntry> defaults_;
};

}  // namespace

Result<Imported> import_supervisord(std::string_view text, const Surroundings& around) {
  auto sections = read_ini(text, around.file);
  if (!sections) return pass(sections);
  return Supervisord(around).run(*sections);
}

}  // namespace usvc::foreign
