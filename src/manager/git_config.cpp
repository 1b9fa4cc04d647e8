#include "manager/git_config.h"

#include <git2.h>

#include <cctype>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "base/files.h"
#include "base/text.h"

namespace usvc {

namespace {

struct ConfigCloser {
  void operator()(git_config* config) const { git_config_free(config); }
};
using Config = std::unique_ptr<git_config, ConfigCloser>;

Error last_git_error(const std::string& what) {
  const git_error* error = git_error_last();
  // The library quotes the file as it is.
  return Error(what + ": " + (error != nullptr ? printable(error->message) : "unknown error of libgit2"));
}

Result<Config> open_config(const std::string& path) {
  git_config* raw = nullptr;
  if (git_config_new(&raw) != 0) return fail(last_git_error("cannot read " + path));
  Config config(raw);
  // The library opens what is there and takes a missing file for an empty one; the caller has looked.
  if (git_config_add_file_ondisk(config.get(), path.c_str(), GIT_CONFIG_LEVEL_LOCAL, nullptr, 0) != 0) {
    return fail(last_git_error("cannot read " + path));
  }
  return config;
}

// "section.sub.section.key": the key has no dot, the section neither, the subsection may.
GitEntry split_name(std::string_view name) {
  GitEntry entry;
  const auto first = name.find('.');
  const auto last = name.rfind('.');
  entry.section = name.substr(0, first);
  entry.key = name.substr(last + 1);
  if (last > first) entry.subsection = name.substr(first + 1, last - first - 1);
  return entry;
}

// What git refuses and the library does not.
struct Fault {
  int line = 0;
  std::string what;
  std::string hint;
};

Fault bad_escape(int line) {
  return {line, "an unknown escape", R"(\\ is a backslash, \" a quote)"};
}

Fault open_quote(int line) {
  return {line, "a quote that is not closed", R"(\" is a quote that belongs to the value)"};
}

// A file that is something else: the library passes over what stands before the first section.
std::optional<Fault> not_a_config(std::string_view text) {
  const std::string_view format = "it is not in git-config format: ";
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";  // git passes over that too
  int number = 0;
  bool in_section = false;
  for (std::string_view line : split(text, '\n')) {
    if (++number == 1 && line.starts_with(byte_order_mark)) line.remove_prefix(byte_order_mark.size());
    if (line.find('\0') != std::string_view::npos) return Fault{number, std::string(format) + "a NUL byte", ""};
    line = trim(line);
    in_section = in_section || line.starts_with('[');
    if (in_section || line.empty() || line.starts_with('#') || line.starts_with(';')) continue;
    return Fault{number, std::string(format) + "a line before its first [section]", ""};
  }
  return std::nullopt;
}

// git refuses an escape it does not know. The library overlooks a backslash before a blank and a comment, takes it for
// one at the line's end and swallows the next line. One at the very end would swallow what is added to the file later.
// Of a quote that is not closed it takes the line's end for the other one.
std::optional<Fault> misquoted(std::string_view text) {
  enum class In { key, section, value, comment } in = In::key;
  bool quoted = false;
  int line = 1;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      if (in == In::value && quoted) return open_quote(line);
      ++line;
      in = In::key;
      quoted = false;
    } else if (in == In::comment) {
      continue;
    } else if (c == '\\' && in != In::key) {
      const std::string_view rest = text.substr(i + 1);
      const bool ends_line = rest.empty() || rest.starts_with('\n') || rest.starts_with("\r\n");
      const bool ends_text = rest.empty() || rest == "\n" || rest == "\r\n";
      const bool unknown = !ends_line && std::string_view("nbt\"\\").find(rest[0]) == std::string_view::npos;
      if (in == In::value && (ends_text || unknown)) return bad_escape(line);
      if (ends_line) ++line;
      i = ends_line ? text.find('\n', i) : i + 1;
      if (i == std::string_view::npos) return std::nullopt;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '#' || c == ';')) {
      in = In::comment;
    } else if (in == In::key && (c == '[' || c == '=')) {
      in = c == '[' ? In::section : In::value;
    } else if (in == In::section && c == ']' && !quoted) {
      in = In::key;
    }
  }
  return in == In::value && quoted ? std::optional(open_quote(line)) : std::nullopt;
}

// The lines, from 1, on which each key (in lower case) is set in this text.
std::map<std::string, std::vector<int>> lines_of_keys(const std::string& text) {
  std::map<std::string, std::vector<int>> lines;
  int number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (const auto bracket = line.find(']'); line.starts_with('[') && bracket != std::string_view::npos) {
      line = trim(line.substr(bracket + 1));
    }
    std::string key;
    for (const char c : line.substr(0, line.find_first_of("= \t#;"))) {
      key += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    if (!key.empty()) lines[key].push_back(number);
  }
  return lines;
}

// The library tells no lines: they are found by how often a key has come.
struct Reading {
  std::map<std::string, std::vector<int>> lines;
  std::map<std::string, std::size_t> times;
  std::vector<GitEntry> entries;

  void take(const git_config_entry& found) {
    GitEntry entry = split_name(found.name);
    entry.has_value = found.value != nullptr;
    if (entry.has_value) entry.value = found.value;
    if (found.include_depth == 0) {
      const auto& of_key = lines[entry.key];
      const std::size_t nth = times[entry.key]++;
      if (nth < of_key.size()) entry.line = of_key[nth];
    }
    entries.push_back(std::move(entry));
  }
};

constexpr std::size_t most_config = std::size_t{16} << 20U;

}  // namespace

GitLibrary::GitLibrary() {
  git_libgit2_init();
}
GitLibrary::~GitLibrary() {
  git_libgit2_shutdown();
}

Result<std::vector<GitEntry>> read_git_config(const std::string& path) {
  auto text = read_file(path, most_config);
  if (!text) return pass(text);
  auto fault = not_a_config(*text);
  if (!fault) fault = misquoted(*text);
  if (fault) {
    return fail(Error(path + ":" + std::to_string(fault->line) + ": " + fault->what).hint(fault->hint));
  }
  auto config = open_config(path);
  if (!config) return pass(config);
  Reading reading{.lines = lines_of_keys(*text), .times = {}, .entries = {}};
  const auto collect = [](const git_config_entry* found, void* payload) {
    static_cast<Reading*>(payload)->take(*found);
    return 0;
  };
  if (git_config_foreach(config->get(), collect, &reading) != 0) return fail(last_git_error("cannot read " + path));
  return std::move(reading.entries);
}

Status set_git_config(const std::string& path, const std::string& name, const std::string& value) {
  // The library writes these as they are, and takes them for blanks when it reads.
  if (value.find_first_of("\r\v\f") != std::string::npos) {
    return fail("cannot set " + name + ": a carriage return, vertical tab or form feed cannot be in its value");
  }
  auto config = open_config(path);
  if (!config) return pass(config);
  if (git_config_set_string(config->get(), name.c_str(), value.c_str()) != 0) {
    return fail(last_git_error("cannot set " + name + " in " + path));
  }
  return {};
}

Status unset_git_config(const std::string& path, const std::string& name) {
  auto config = open_config(path);
  if (!config) return pass(config);
  const int result = git_config_delete_multivar(config->get(), name.c_str(), ".*");
  if (result != 0 && result != GIT_ENOTFOUND) return fail(last_git_error("cannot remove " + name + " from " + path));
  return {};
}

}  // namespace usvc
