#include "manager/git_config.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/files.h"
#include "base/text.h"
#include "manager/git_config_scanner.h"

namespace usvc {

namespace {

constexpr std::size_t most_config = std::size_t{16} << 20U;

std::string place(const std::string& name, int line) {
  return printable(name) + ":" + std::to_string(line);
}

// A file with what it includes.
class Reading {
 public:
  // `follow`: includes are; `name` is a path then.
  Status add(std::string_view text, const std::string& name, bool follow) {
    // Files that include each other several times over would be read for ever, each within the limit of depth.
    if (text.size() > room_) return fail(printable(name) + ": more than 16 MiB with all that is included");
    room_ -= text.size();
    GitConfigScanner scanner(text);
    for (;;) {
      const auto found = scanner.next();
      if (found == GitConfigScanner::Found::end) return {};
      if (found == GitConfigScanner::Found::fault) {
        const auto& fault = scanner.fault();
        return fail(Error(place(name, fault.line) + ": " + fault.what).hint(fault.hint));
      }
      if (found == GitConfigScanner::Found::header) continue;
      // Each entry has its section's name.
      const std::size_t copied = scanner.section().size() + scanner.subsection().size();
      if (copied > room_) return fail(printable(name) + ": its entries take more than 16 MiB");
      room_ -= copied;
      entries_.push_back({scanner.section(), scanner.subsection(), scanner.key(), scanner.value(), scanner.has_value(),
                          depth_ == 0 ? scanner.line() : 0});
      // includeIf depends on a repository, and here is none.
      if (!follow || scanner.key() != "path" || scanner.section() != "include" || !scanner.subsection().empty())
        continue;
      if (auto included = include(scanner, name); !included) return included;
    }
  }

  std::vector<GitEntry> take() { return std::move(entries_); }

 private:
  Status include(const GitConfigScanner& scanner, const std::string& name) {
    constexpr int most_depth = 10;  // git's
    const std::string here = place(name, scanner.line());
    auto path = included_path(scanner, name);
    if (!path) return pass(path, here);
    auto text = read_file(*path, most_config);
    if (!text && (text.error().code() == ENOENT || text.error().code() == ENOTDIR)) return {};
    if (!text) return pass(text, here);
    if (depth_ == most_depth) {
      return fail(Error(here + ": files are included more than " + std::to_string(most_depth) + " deep")
                      .hint("one may include itself"));
    }
    ++depth_;
    auto added = add(*text, *path, true);
    --depth_;
    return added;
  }

  static Result<std::string> included_path(const GitConfigScanner& scanner, const std::string& name) {
    const std::string& value = scanner.value();
    if (!scanner.has_value()) return fail(Error("include.path has no value").hint("path = FILE"));
    if (printable(value) != value) return fail("include.path = " + printable(value) + " is no file's name");
    if (value.starts_with('/')) return value;
    if (!value.starts_with('~')) return directory_of(name) + "/" + value;
    const char* home = std::getenv("HOME");
    if (!value.starts_with("~/") || home == nullptr) {
      return fail(Error("cannot tell what file " + printable(value) + " is").hint("~/ is $HOME/, if that is set"));
    }
    return home + value.substr(1);
  }

  std::size_t room_ = most_config;
  int depth_ = 0;
  std::vector<GitEntry> entries_;
};

Result<std::vector<GitEntry>> parse(std::string_view text, const std::string& name, bool follow) {
  Reading reading;
  if (auto added = reading.add(text, name, follow); !added) return pass(added);
  return reading.take();
}

}  // namespace

Result<std::vector<GitEntry>> read_git_config(const std::string& path) {
  auto text = read_file(path, most_config);
  if (!text) return pass(text);
  return parse_git_config_file(*text, path);
}

Result<std::vector<GitEntry>> parse_git_config(std::string_view text, const std::string& name) {
  return parse(text, name, false);
}

Result<std::vector<GitEntry>> parse_git_config_file(std::string_view text, const std::string& path) {
  return parse(text, path, true);
}

}  // namespace usvc
