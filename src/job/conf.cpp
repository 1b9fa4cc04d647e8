#include "job/conf.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/signals.h"
#include "base/text.h"
#include "job/options.h"

namespace usvc {
namespace {

using Texts = std::vector<std::string>;

// How one key is kept in a Conf. `set` is given checked values only. `get` returns the values to write, none for what
// is not set.
struct Field {
  std::string_view key;
  void (*set)(Conf&, const std::string&);
  Texts (*get)(const Conf&);
};

template <std::string Conf::*member>
void set_text(Conf& conf, const std::string& text) {
  conf.*member = text;
}
template <std::string Conf::*member>
Texts get_text(const Conf& conf) {
  return (conf.*member).empty() ? Texts{} : Texts{conf.*member};
}

template <Texts Conf::*member>
void add_text(Conf& conf, const std::string& text) {
  (conf.*member).push_back(text);
}
template <Texts Conf::*member>
Texts get_texts(const Conf& conf) {
  return conf.*member;
}

template <bool Conf::*member>
void set_boolean(Conf& conf, const std::string& text) {
  conf.*member = parse_boolean(text).value_or(false);
}
template <bool Conf::*member>
Texts get_boolean(const Conf& conf) {
  return {conf.*member ? "true" : "false"};
}

template <Duration Conf::*member>
void set_duration(Conf& conf, const std::string& text) {
  if (const auto duration = parse_duration(text)) conf.*member = *duration;
}
template <Duration Conf::*member>
Texts get_duration(const Conf& conf) {
  return {format_duration(conf.*member)};
}

// Enumerators and choices are in the same order.
std::string_view choices_of(std::string_view key) {
  return find_option(key)->choices;
}

template <class Enum>
Enum enum_of(std::string_view key, std::string_view text) {
  return static_cast<Enum>(choice_index(choices_of(key), text).value_or(0));
}
template <class Enum>
Texts choice_of(std::string_view key, Enum value) {
  return {std::string(split(choices_of(key), '|').at(static_cast<std::size_t>(value)))};
}

void set_restart(Conf& conf, const std::string& text) {
  conf.restart = enum_of<RestartPolicy>("restart", text);
}
Texts get_restart(const Conf& conf) {
  // keepalive = false says it already.
  return conf.keepalive ? choice_of("restart", conf.restart) : choice_of("restart", RestartPolicy::always);
}

void set_tree(Conf& conf, const std::string& text) {
  conf.tree = enum_of<TreeTier>("tree", text);
}
Texts get_tree(const Conf& conf) {
  return choice_of("tree", conf.tree);
}

void set_stop_signal(Conf& conf, const std::string& text) {
  conf.stop_signal = parse_signal(text).value_or(SIGTERM);
}
Texts get_stop_signal(const Conf& conf) {
  return {signal_name(conf.stop_signal)};
}

void set_umask(Conf& conf, const std::string& text) {
  conf.umask = parse_umask(text);
}
Texts get_umask(const Conf& conf) {
  if (!conf.umask) return {};
  std::array<char, 16> text{};
  (void)std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(*conf.umask));
  return {text.data()};
}

void set_nice(Conf& conf, const std::string& text) {
  conf.nice = static_cast<int>(parse_number(text).value_or(0));
}
Texts get_nice(const Conf& conf) {
  return conf.nice ? Texts{std::to_string(*conf.nice)} : Texts{};
}

void add_limit(Conf& conf, const std::string& text) {
  const auto limit = parse_limit(text);
  if (!limit) return;
  const auto same = std::find_if(conf.limits.begin(), conf.limits.end(),
                                 [&](const Limit& l) { return l.resource == limit->resource; });
  if (same == conf.limits.end()) {
    conf.limits.push_back(*limit);
  } else {
    *same = *limit;
  }
}
Texts get_limits(const Conf& conf) {
  Texts texts;
  for (const Limit& limit : conf.limits) texts.push_back(format_limit(limit));
  return texts;
}

void set_log_max_size(Conf& conf, const std::string& text) {
  conf.log_max_size = parse_size(text).value_or(conf.log_max_size);
}
Texts get_log_max_size(const Conf& conf) {
  // format_size rounds; this must be read back to the very same number.
  std::uint64_t count = conf.log_max_size;
  std::string unit;
  for (const char larger : {'K', 'M', 'G', 'T'}) {
    if (count == 0 || count % 1024 != 0) break;
    count /= 1024;
    unit = larger;
  }
  return {std::to_string(count) + unit};
}

void set_log_keep(Conf& conf, const std::string& text) {
  conf.log_keep = static_cast<int>(parse_number(text).value_or(conf.log_keep));
}
Texts get_log_keep(const Conf& conf) {
  return {std::to_string(conf.log_keep)};
}

constexpr std::array<Field, 23> fields{{
    {"cmd", set_text<&Conf::cmd>, get_text<&Conf::cmd>},
    {"arg", add_text<&Conf::args>, get_texts<&Conf::args>},
    {"name", set_text<&Conf::name>, get_text<&Conf::name>},
    {"group", set_text<&Conf::group>, get_text<&Conf::group>},
    {"cwd", set_text<&Conf::cwd>, get_text<&Conf::cwd>},
    {"log", set_text<&Conf::log>, get_text<&Conf::log>},
    {"keepalive", set_boolean<&Conf::keepalive>, get_boolean<&Conf::keepalive>},
    {"restart", set_restart, get_restart},
    {"tty", set_boolean<&Conf::tty>, get_boolean<&Conf::tty>},
    {"split", set_boolean<&Conf::split>, get_boolean<&Conf::split>},
    {"alert", add_text<&Conf::alerts>, get_texts<&Conf::alerts>},
    {"pre-cmd", set_text<&Conf::pre_cmd>, get_text<&Conf::pre_cmd>},
    {"post-cmd", set_text<&Conf::post_cmd>, get_text<&Conf::post_cmd>},
    {"runaway-protect", set_boolean<&Conf::runaway_protect>, get_boolean<&Conf::runaway_protect>},
    {"stop-signal", set_stop_signal, get_stop_signal},
    {"stop-timeout", set_duration<&Conf::stop_timeout>, get_duration<&Conf::stop_timeout>},
    {"settle", set_duration<&Conf::settle>, get_duration<&Conf::settle>},
    {"tree", set_tree, get_tree},
    {"umask", set_umask, get_umask},
    {"nice", set_nice, get_nice},
    {"limit", add_limit, get_limits},
    {"log-max-size", set_log_max_size, get_log_max_size},
    {"log-keep", set_log_keep, get_log_keep},
}};

std::string where(const ConfEntry& entry) {
  if (entry.file.empty()) return {};
  return entry.file + (entry.line > 0 ? ":" + std::to_string(entry.line) : "") + ": ";
}

std::unexpected<Error> unknown_key(const ConfEntry& entry) {
  const std::string near = nearest_option(entry.key);
  return fail(Error(where(entry) + "core." + printable(entry.key) + ": there is no such key")
                  .hint(near.empty() ? "man usvc-job.conf lists the keys" : "did you mean '" + near + "'?"));
}

Status apply(Conf& conf, const ConfEntry& entry) {
  const auto* field = std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.key == entry.key; });
  const Option* option = find_option(entry.key);
  if (field == fields.end() || option == nullptr) return unknown_key(entry);
  const auto place = [&] { return where(entry) + "core." + entry.key; };
  if (!entry.has_value && option->type != OptionType::boolean) {
    return fail(Error(place() + ": it has no value").hint(entry.key + " = " + std::string(option->value_name)));
  }
  static const std::string set = "true";
  const std::string& value = entry.has_value ? entry.value : set;
  if (auto good = check_value(*option, value); !good) {
    return fail(std::move(good).error().context(place()).as(ErrorKind::failure));
  }
  field->set(conf, value);
  return {};
}

}  // namespace

Result<Conf> conf_from_entries(const std::vector<ConfEntry>& entries) {
  Conf conf;
  for (const ConfEntry& entry : entries) {
    if (auto applied = apply(conf, entry); !applied) return pass(applied);
  }
  if (conf.cmd.empty()) {
    const std::string file = entries.empty() || entries.front().file.empty() ? "" : entries.front().file + ": ";
    return fail(Error(file + "core.cmd: it is missing").hint("cmd = CMD says what to run"));
  }
  if (!conf.keepalive) conf.restart = RestartPolicy::never;
  return conf;
}

std::vector<ConfEntry> conf_to_entries(const Conf& conf) {
  const Conf defaults;
  std::vector<ConfEntry> entries;
  for (const Field& field : fields) {
    Texts texts = field.get(conf);
    if (texts == field.get(defaults)) continue;
    for (std::string& text : texts) {
      ConfEntry entry;
      entry.key = field.key;
      entry.value = std::move(text);
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

std::string conf_quote(std::string_view value) {
  constexpr std::string_view harmless = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:=@%+,-~";
  if (!value.empty() && value.find_first_not_of(harmless) == std::string_view::npos) return std::string(value);
  std::string text = "\"";
  for (const char c : value) {
    switch (c) {
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '\b':
        text += "\\b";
        break;
      default:
        text += c;
    }
  }
  return text + "\"";
}

std::string conf_text(const std::vector<ConfEntry>& entries) {
  std::string text = "[core]\n";
  for (const ConfEntry& entry : entries) {
    text += "\t" + entry.key;
    if (entry.has_value) text += " = " + conf_quote(entry.value);
    text += "\n";
  }
  return text;
}

}  // namespace usvc
