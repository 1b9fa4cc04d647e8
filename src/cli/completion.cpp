#include "cli/completion.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <optional>
#include <utility>

#include "base/signals.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/remote.h"
#include "job/options.h"
#include "job/state.h"
#include "shapes/views.h"

namespace usvc {

namespace {

// Where in a command line the word stands that is being typed.
struct Place {
  const Command* command = nullptr;  // none: it is to be the command
  std::vector<Flag> flags = leading_flags();
  std::vector<std::string> before;  // the command's words so far
  std::optional<Flag> value_of;     // it is the value of this option
  bool options_over = false;
  std::optional<std::string> home;
  bool unknown = false;  // nothing is known of such a command
};

bool is_option(std::string_view word) {
  return word.size() > 1 && word.front() == '-';
}

const Flag* find_flag(const std::vector<Flag>& flags, std::string_view word) {
  const auto found = std::find_if(flags.begin(), flags.end(), [&](const Flag& flag) { return flag.called(word); });
  return found == flags.end() ? nullptr : &*found;
}

// The option whose value the next word is; none: the word needs none, or has it.
std::optional<Flag> wants_value(const std::vector<Flag>& flags, std::string_view word) {
  if (word.starts_with("--")) {
    const Flag* flag = find_flag(flags, word);
    return flag != nullptr && !flag->value.empty() ? std::optional(*flag) : std::nullopt;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const Flag* flag = find_flag(flags, std::string{'-', word[i]});
    if (flag == nullptr) return std::nullopt;
    if (!flag->value.empty()) return i + 1 == word.size() ? std::optional(*flag) : std::nullopt;
  }
  return std::nullopt;
}

void enter_command(Place& place, std::string_view word) {
  place.command = find_command_named(word);
  place.unknown = place.command == nullptr;
  if (place.unknown) return;
  auto flags = place.command->flags == nullptr ? std::vector<Flag>() : place.command->flags();
  for (const auto& flag : leading_flags()) {
    if (flag.name != "--version") flags.push_back(flag);
  }
  place.flags = std::move(flags);
}

void take_option(Place& place, const std::string& word) {
  constexpr std::string_view home = "--home=";
  if (word.starts_with(home)) place.home = word.substr(home.size());
  place.value_of = wants_value(place.flags, word);
}

// A line to be completed has not been through the shell, which would have put in the home directory.
std::string expanded(const std::string& word) {
  const char* home = std::getenv("HOME");
  const bool tilde = word == "~" || word.starts_with("~/");
  return tilde && home != nullptr ? home + word.substr(1) : word;
}

Place place_of(const std::vector<std::string>& words) {
  Place place;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (place.value_of) {
      if (place.value_of->name == "--home") place.home = expanded(word);
      place.value_of.reset();
    } else if (!place.options_over && word == "--") {
      place.options_over = true;
    } else if (!place.options_over && is_option(word)) {
      take_option(place, word);
    } else if (place.command == nullptr) {
      enter_command(place, word);
      if (place.unknown) return place;
    } else {
      place.before.push_back(word);
      place.options_over = place.options_over || place.command->options == Options::before_words;
    }
  }
  return place;
}

class Completer {
 public:
  Completer(Context context, Place place, std::string typed)
      : context_(std::move(context)), place_(std::move(place)), typed_(std::move(typed)) {}

  Candidates run() {
    if (place_.unknown) return {};
    if (place_.value_of) {
      add_value(*place_.value_of, "");
    } else if (!place_.options_over && typed_.starts_with("-")) {
      add_options();
    } else if (place_.command == nullptr) {
      add_commands();
    } else {
      add_words();
    }
    return std::move(found_);
  }

 private:
  void add(std::string word, std::string_view about = {}) {
    if (!word.starts_with(typed_)) return;
    const bool there = std::any_of(found_.words.begin(), found_.words.end(),
                                   [&](const Candidate& other) { return other.word == word; });
    if (!there) found_.words.push_back({std::move(word), printable(about)});
  }

  void add_options() {
    const auto equals = typed_.find('=');
    if (typed_.starts_with("--") && equals != std::string::npos) {
      const Flag* flag = find_flag(place_.flags, typed_.substr(0, equals));
      if (flag != nullptr && !flag->value.empty()) add_value(*flag, typed_.substr(0, equals + 1));
      return;
    }
    for (const auto& flag : place_.flags) {
      if (place_.command != nullptr && !is_listed(*place_.command, flag)) continue;
      if (!flag.name.empty()) add(std::string(flag.name), flag.help);
      if (flag.letter != 0) add(std::string{'-', flag.letter}, flag.help);
    }
    if (place_.command != nullptr && place_.command->run == command::signal) add_signals("-");
  }

  void add_commands() {
    for (const auto& command : command_table()) {
      if (command.internal) continue;
      add(std::string(command.name), command.summary);
      // They are for fingers that know them: told when one is begun.
      if (typed_.empty()) continue;
      for (const auto alias : split(command.aliases, ' ')) {
        if (!alias.empty()) add(std::string(alias), command.summary);
      }
    }
  }

  // `front` is what stands before the value in the same word: "--restart=".
  void add_value(const Flag& flag, const std::string& front) {
    const auto options = option_table();
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const Option& row) { return !row.flag.empty() && row.flag == flag.name; });
    if (flag.value.find('|') != std::string_view::npos) {
      add_choices(flag.value, front);
    } else if (option != options.end()) {
      add_values_of(*option, front);
    } else if (flag.value == "DIR") {
      found_.directories = true;
    } else if (flag.value == "FILE") {
      found_.files = true;
    }
  }

  void add_values_of(const Option& option, const std::string& front) {
    switch (option.type) {
      case OptionType::choice:
        add_choices(option.choices, front);
        break;
      case OptionType::signal:
        add_signals(front);
        break;
      case OptionType::group_name:
        for (const auto& [group, count] : groups()) add(front + group, jobs_words(count));
        break;
      case OptionType::boolean:
        add_choices("true|false", front);
        break;
      case OptionType::path:
        (option.value_name == "DIR" ? found_.directories : found_.files) = true;
        break;
      case OptionType::text:
      case OptionType::any_text:
      case OptionType::job_name:
      case OptionType::number:
      case OptionType::size:
      case OptionType::duration:
      case OptionType::umask:
      case OptionType::limit:
        break;
    }
  }

  void add_choices(std::string_view choices, const std::string& front) {
    for (const auto choice : split(choices, '|')) add(front + std::string(choice));
  }

  void add_signals(const std::string& front) {
    // The ones up to 31 are those with a meaning.
    for (int signal = 1; signal < 32; ++signal) add(front + signal_name(signal));
  }

  // What the usage line of the command says may stand here: "SELECTOR… | JOB KEY [VALUE]".
  void add_words() {
    for (std::string_view usage = place_.command->arguments; !usage.empty();) {
      const auto bar = usage.find(" | ");
      add_words_of(usage.substr(0, bar));
      usage = bar == std::string_view::npos ? "" : usage.substr(bar + 3);
    }
  }

  void add_words_of(std::string_view usage) {
    constexpr std::string_view repeated = "…";
    std::size_t position = 0;
    for (auto word : split(usage, ' ')) {
      while (word.starts_with('[')) word.remove_prefix(1);
      while (word.ends_with(']')) word.remove_suffix(1);
      const bool repeats = word.ends_with(repeated);
      if (repeats) word.remove_suffix(repeated.size());
      if (position == place_.before.size() || (repeats && position < place_.before.size())) add_kind(word);
      // What comes behind one that is repeated may come at any place after its first.
      if (repeats && position < place_.before.size()) position = place_.before.size() - 1;
      ++position;
    }
  }

  void add_kind(std::string_view kind) {
    if (kind == "SELECTOR") {
      add_selectors();
    } else if (kind == "JOB") {
      for (const auto& job : jobs()) add(job.name, job.state);
    } else if (kind == "KEY") {
      for (const auto& option : option_table()) add(std::string(option.key), option.help);
    } else if (kind == "VALUE") {
      const std::string& key = place_.before.back();
      const Option* option = find_option(key.starts_with("core.") ? key.substr(5) : key);
      if (option != nullptr) add_values_of(*option, "");
    } else if (kind == "SIG") {
      add_signals("");
    } else if (kind == "RUN-ID") {
      for (const auto& job : jobs()) add(job.run_id.value_or(""), "the last run of " + job.name);
    } else if (kind == "COMMAND") {
      add_commands();
    } else if (kind == "CMD") {
      found_.programs = true;
    } else if (kind == "FILE" || kind == "ARG") {
      found_.files = true;
    }
  }

  void add_selectors() {
    const auto given = [&](const std::string& word) {
      return std::find(place_.before.begin(), place_.before.end(), word) != place_.before.end();
    };
    for (const auto& job : jobs()) {
      if (!given(job.name)) add(job.name, job.group + ", " + job.state);
    }
    for (const auto& [group, count] : groups()) {
      if (!given(group)) add(group, jobs_words(count));
    }
    if (!given("all")) add("all", "every job");
    if (!given("live")) add("live", "the jobs that run");
    if (!given("dead")) add("dead", "the jobs that do not run");
    if (typed_.empty()) return;
    for (const auto state : all_job_states) add("state:" + std::string(to_string(state)));
  }

  const std::vector<JobView>& jobs() {
    if (!jobs_) {
      auto reply = Remote(context_, NoInstance::offline).glance();
      jobs_ = reply ? std::move(reply->jobs) : std::vector<JobView>();
    }
    return *jobs_;
  }

  std::map<std::string, std::size_t> groups() {
    std::map<std::string, std::size_t> counts;
    for (const auto& job : jobs()) ++counts[job.group];
    return counts;
  }

  static std::string jobs_words(std::size_t count) {
    return "group of " + std::to_string(count) + (count == 1 ? " job" : " jobs");
  }

  Context context_;
  Place place_;
  std::string typed_;
  Candidates found_;
  std::optional<std::vector<JobView>> jobs_;
};

}  // namespace

Candidates complete(const Context& context, const std::vector<std::string>& words) {
  if (words.empty()) return {};
  Place place = place_of(words);
  Context where = context;
  if (place.home && !choose_instance(where, place.home)) return {};
  return Completer(std::move(where), std::move(place), words.back()).run();
}

}  // namespace usvc
