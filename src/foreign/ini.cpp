#include "foreign/ini.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"

namespace usvc::foreign {

namespace {

// A ; or # at the beginning, or behind white space, and all that follows.
std::string_view without_comment(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool begins = line[i] == ';' || line[i] == '#';
    if (begins && (i == 0 || line[i - 1] == ' ' || line[i - 1] == '\t')) return line.substr(0, i);
  }
  return line;
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

class IniReader {
 public:
  explicit IniReader(const std::string& file) : file_(&file) {}

  Status take(std::string_view raw, int number) {
    const std::string_view line = trim(without_comment(raw));
    if (line.empty()) return {};
    const std::size_t indent = std::min(raw.find_first_not_of(" \t"), raw.size());
    if (entry_ != nullptr && indent > indent_) {
      entry_->value += "\n" + std::string(line);
      return {};
    }
    indent_ = indent;
    entry_ = nullptr;
    if (line.front() == '[' && line.back() == ']') {
      open(line.substr(1, line.size() - 2), number);
      return {};
    }
    return add(line, number);
  }
  std::vector<IniSection> sections() && { return std::move(sections_); }

 private:
  void open(std::string_view name, int number) {
    const auto [known, added] = by_name_.try_emplace(std::string(name), sections_.size());
    current_ = known->second;
    if (added) sections_.push_back({known->first, number, {}});
  }

  Status add(std::string_view line, int number) {
    const auto delimiter = line.find_first_of("=:");
    const std::string key = lower_case(trim(line.substr(0, delimiter)));
    if (sections_.empty()) return complain(number, "this line belongs to no [section]");
    if (delimiter == std::string_view::npos || key.empty()) return complain(number, "this line is no KEY = VALUE");
    auto& entries = sections_[current_].entries;
    const auto [known, added] = by_key_.try_emplace({current_, key}, entries.size());
    if (added) entries.emplace_back();
    entry_ = &entries[known->second];
    *entry_ = {key, std::string(trim(line.substr(delimiter + 1))), number};
    return {};
  }

  Status complain(int number, const std::string& what) const {
    return fail(*file_ + ":" + std::to_string(number) + ": " + what);
  }

  const std::string* file_;
  std::vector<IniSection> sections_;
  std::map<std::string, std::size_t> by_name_;
  std::map<std::pair<std::size_t, std::string>, std::size_t> by_key_;  // of a section
  std::size_t current_ = 0;
  IniEntry* entry_ = nullptr;  // what a deeper line adds to
  std::size_t indent_ = 0;
};

}  // namespace

Result<std::vector<IniSection>> read_ini(std::string_view text, const std::string& file) {
  IniReader reader(file);
  int number = 0;
  for (const auto line : split(text, '\n')) {
    if (auto taken = reader.take(line, ++number); !taken) return pass(taken);
  }
  return std::move(reader).sections();
}

}  // namespace usvc::foreign
