#include "cli/args.h"

#include <algorithm>

#include "base/text.h"

namespace usvc {

bool Flag::called(std::string_view word) const {
  if (word.size() == 2 && word[0] == '-') return letter != 0 && word[1] == letter;
  return !name.empty() && word == name;
}

bool Arguments::has(std::string_view id) const {
  return std::any_of(options.begin(), options.end(), [&](const auto& option) { return option.first == id; });
}

std::optional<std::string> Arguments::value(std::string_view id) const {
  for (auto option = options.rbegin(); option != options.rend(); ++option) {
    if (option->first == id) return option->second;
  }
  return std::nullopt;
}

std::vector<std::string> Arguments::values(std::string_view id) const {
  std::vector<std::string> found;
  for (const auto& [name, value] : options) {
    if (name == id) found.push_back(value);
  }
  return found;
}

namespace {

class Parser {
 public:
  Parser(const std::vector<Flag>& flags, Options options, const std::vector<std::string>& words)
      : flags_(flags), options_(options), words_(words) {}

  Result<Arguments> run() {
    for (; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (word == "--") {
        found_.dashes = true;
        ++at_;
        break;
      }
      const bool is_option = word.size() > 1 && word[0] == '-' && !is_number(word);
      if (!is_option && options_ == Options::before_words) break;
      if (!is_option) {
        found_.words.push_back(word);
        continue;
      }
      if (auto status = word[1] == '-' ? take_long(word) : take_letters(word); !status) return pass(status);
    }
    for (; at_ < words_.size(); ++at_) found_.words.push_back(words_[at_]);
    return std::move(found_);
  }

 private:
  const Flag* find(std::string_view word) const {
    const auto flag = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& f) { return f.called(word); });
    return flag == flags_.end() ? nullptr : &*flag;
  }

  // -5 where no option is a digit: a value.
  bool is_number(const std::string& word) const {
    return word[1] >= '0' && word[1] <= '9' && find(word.substr(0, 2)) == nullptr;
  }

  Status unknown(std::string_view word) const {
    Error error("unknown option " + printable(word), ErrorKind::usage);
    std::vector<std::string> names;
    for (const auto& flag : flags_) {
      if (!flag.name.empty()) names.emplace_back(flag.name);
    }
    const std::string near = nearest(word, names);
    return fail(near.empty() ? std::move(error) : std::move(error).hint("did you mean " + near + "?"));
  }

  Status take(const Flag& flag, std::string_view word, std::optional<std::string_view> attached) {
    if (flag.value.empty()) {
      if (attached) return fail(std::string(word) + " takes no value", ErrorKind::usage);
      found_.options.emplace_back(flag.id(), "");
      return {};
    }
    if (!attached) {
      if (at_ + 1 >= words_.size()) {
        return fail(std::string(word) + " needs a value: " + std::string(flag.value), ErrorKind::usage);
      }
      attached = words_[++at_];
    }
    found_.options.emplace_back(flag.id(), *attached);
    return {};
  }

  Status take_long(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const Flag* flag = find(name);
    if (flag == nullptr) return unknown(name);
    if (equals == std::string_view::npos) return take(*flag, name, std::nullopt);
    return take(*flag, name, word.substr(equals + 1));
  }

  Status take_letters(std::string_view word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string letter = {'-', word[i]};
      const Flag* flag = find(letter);
      if (flag == nullptr) return unknown(i == 1 ? word : std::string_view(letter));
      if (flag->value.empty()) {
        if (auto status = take(*flag, letter, std::nullopt); !status) return status;
        continue;
      }
      const std::string_view rest = word.substr(i + 1);
      return take(*flag, letter, rest.empty() ? std::optional<std::string_view>() : rest);
    }
    return {};
  }

  const std::vector<Flag>& flags_;
  Options options_;
  const std::vector<std::string>& words_;
  std::size_t at_ = 0;
  Arguments found_;
};

}  // namespace

Result<Arguments> parse_arguments(const std::vector<Flag>& flags, Options options,
                                  const std::vector<std::string>& words) {
  return Parser(flags, options, words).run();
}

}  // namespace usvc
