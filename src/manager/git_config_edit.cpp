#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "job/conf.h"
#include "manager/git_config.h"
#include "manager/git_config_scanner.h"

namespace usvc {

namespace {

using Found = GitConfigScanner::Found;

// "section.key" or "section.sub.section.key": the key has no dot, the section neither, the subsection may.
struct Name {
  std::string section;
  std::string subsection;
  std::string key;

  static std::optional<Name> from(std::string_view text) {
    const auto first = text.find('.');
    const auto last = text.rfind('.');
    if (first == 0 || first == std::string_view::npos || !is_git_config_key(text.substr(last + 1))) return std::nullopt;
    Name name{git_config_lower_case(text.substr(0, first)), "", git_config_lower_case(text.substr(last + 1))};
    if (last > first) name.subsection = text.substr(first + 1, last - first - 1);
    const bool writable = is_git_config_key("x" + name.section) && (last == first || !name.subsection.empty()) &&
                          name.subsection.find_first_of(std::string_view("\n\0", 2)) == std::string::npos;
    return writable ? std::optional(std::move(name)) : std::nullopt;
  }

  [[nodiscard]] bool in_section(const auto& section_of) const {
    return section_of.section() == section && section_of.subsection() == subsection;
  }
  [[nodiscard]] bool is(const GitEntry& entry) const {
    return entry.key == key && entry.section == section && entry.subsection == subsection;
  }
  [[nodiscard]] std::string header() const {
    if (subsection.empty()) return "[" + section + "]";
    std::string quoted;
    for (const char c : subsection) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
    return "[" + section + " \"" + quoted + "\"]";
  }
};

std::size_t line_end_after(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}

// Of a new line that comes behind what stands before `at`: as that line has it.
std::string line_break_before(std::string_view text, std::size_t at) {
  return text.substr(0, at).ends_with("\r\n") ? "\r\n" : "\n";
}

// On to the next line that sets it.
bool find_next(GitConfigScanner& scanner, const Name& name) {
  for (Found found = scanner.next(); found != Found::end && found != Found::fault; found = scanner.next()) {
    if (found == Found::entry && scanner.key() == name.key && name.in_section(scanner)) return true;
  }
  return false;
}

// `name` is in the text exactly once.
void replace_value(std::string& text, const Name& name, const std::string& value) {
  GitConfigScanner scanner(text);
  if (!find_next(scanner, name)) return;
  std::string put = conf_quote(value);
  if (!scanner.has_value()) {
    put.insert(0, " = ");
  } else if (text[scanner.value_begin() - 1] == '=' && scanner.value_size() == 0) {
    put.insert(0, " ");
  }
  text.replace(scanner.value_begin(), scanner.value_size(), put);
}

// Behind the last line of its section, in a new section where there is none.
void add_value(std::string& text, const Name& name, const std::string& value) {
  const std::string line = "\t" + name.key + " = " + conf_quote(value);
  std::optional<std::size_t> behind;
  GitConfigScanner scanner(text);
  for (Found found = scanner.next(); found != Found::end && found != Found::fault; found = scanner.next()) {
    if (name.in_section(scanner)) behind = scanner.end();
  }
  std::string put = line;
  std::size_t at = text.size();
  if (!behind) {
    put = name.header() + line_break_before(text, at) + line;
  } else {
    const std::size_t rest = std::min(text.find_first_not_of(" \t\r", *behind), text.size());
    if (rest < text.size() && text[rest] == '[') {  // another section goes on in this line
      text.insert(*behind, "\n" + line + "\n");
      return;
    }
    at = std::min(line_end_after(text, *behind) + 1, text.size());
  }
  const std::string line_break = line_break_before(text, at);
  const bool after_line = at == 0 || text[at - 1] == '\n' || text == "\xef\xbb\xbf";
  text.insert(at, (after_line ? "" : "\n") + put + line_break);
}

// What goes with an entry: its line, or what stands behind the header in that.
std::pair<std::size_t, std::size_t> extent(std::string_view text, const GitConfigScanner& entry) {
  const std::size_t begin = text.substr(0, entry.begin()).find_last_not_of(" \t") + 1;
  std::size_t end = line_end_after(text, entry.end());
  const bool own_line = begin == 0 || text[begin - 1] == '\n';
  if (own_line) return {begin, std::min(end + 1, text.size())};
  if (end > entry.end() && end < text.size() && text[end - 1] == '\r') --end;
  return {begin, end};
}

Status replace_file(const std::string& path, std::string_view text) {
  std::error_code why;
  const std::string file = std::filesystem::canonical(path, why).string();
  if (why) return fail(Error::from_errno(why.value(), "cannot write " + path));
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return fail(Error::last("cannot write " + path));
  return write_file_atomically(file, text, Flush::no, info.st_mode & 07777U);
}

}  // namespace

Status set_git_config(const std::string& path, const std::string& name, const std::string& value) {
  const auto wanted = Name::from(name);
  if (!wanted) return fail("cannot set " + printable(name) + ": no key can have that name");
  if (value.find('\0') != std::string::npos) return fail("cannot set " + name + ": a NUL byte cannot be in its value");
  auto text = read_file(path);
  if (!text) return pass(text);
  auto entries = parse_git_config_file(*text, path);
  if (!entries) return pass(entries);
  const auto is_wanted = [&](const GitEntry& entry) { return wanted->is(entry); };
  const auto set = std::find_if(entries->begin(), entries->end(), is_wanted);
  if (set == entries->end()) {
    add_value(*text, *wanted, value);
    return replace_file(path, *text);
  }
  const std::string cannot = "cannot set " + name + " in " + path + ": ";
  if (std::count_if(entries->begin(), entries->end(), is_wanted) > 1) {
    return fail(Error(cannot + "it is set more than once").hint("edit the file"));
  }
  if (set->line == 0) return fail(Error(cannot + "a file that this one includes sets it").hint("edit that"));
  if (set->has_value && set->value == value) return {};
  replace_value(*text, *wanted, value);
  return replace_file(path, *text);
}

Status unset_git_config(const std::string& path, const std::string& name) {
  const auto wanted = Name::from(name);
  if (!wanted) return {};
  auto text = read_file(path);
  if (!text) return pass(text);
  if (auto entries = parse_git_config_file(*text, path); !entries) return pass(entries);
  std::string left;
  std::size_t done = 0;
  GitConfigScanner scanner(*text);
  while (find_next(scanner, *wanted)) {
    const auto [begin, end] = extent(*text, scanner);
    left.append(*text, done, begin - done);
    done = end;
  }
  if (done == 0) return {};
  return replace_file(path, left.append(*text, done));
}

}  // namespace usvc
