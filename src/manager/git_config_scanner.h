// Goes through a text in git-config format (git-config(1), "Syntax") in one pass and tells what stands where.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace usvc {

struct GitConfigFault {
  int line = 0;
  std::string what;
  std::string hint;
};

// As git takes it, but for what is a mistake for certain: a NUL byte, a key before the first section, an empty section
// or subsection, a backslash at the very end (it would swallow what is added later).
class GitConfigScanner {
 public:
  explicit GitConfigScanner(std::string_view text);  // must outlive this

  enum class Found { header, entry, end, fault };
  // Behind a fault nothing is found.
  Found next();
  [[nodiscard]] const GitConfigFault& fault() const { return fault_; }

  // The section that the scanner is in.
  [[nodiscard]] const std::string& section() const { return section_; }        // lower case
  [[nodiscard]] const std::string& subsection() const { return subsection_; }  // as written

  // Of the entry found last.
  [[nodiscard]] const std::string& key() const { return key_; }  // lower case
  [[nodiscard]] const std::string& value() const { return value_; }
  [[nodiscard]] bool has_value() const { return has_value_; }
  [[nodiscard]] int line() const { return begin_line_; }
  // Where in the text what was found last begins, and what comes behind it: an entry's comment and line end do not
  // belong to it, a header's ] does.
  [[nodiscard]] std::size_t begin() const { return begin_; }
  [[nodiscard]] std::size_t end() const { return end_; }
  // What stands behind an entry's =, without the blanks around it; without =, nothing behind the key.
  [[nodiscard]] std::size_t value_begin() const { return value_begin_; }
  [[nodiscard]] std::size_t value_size() const { return end_ - value_begin_; }

 private:
  Found read_header();
  bool read_subsection();
  Found read_entry();
  Found read_value();
  bool read_escape();  // false: a fault
  Found fail(int line, std::string what, std::string hint);
  [[nodiscard]] bool at_line_end() const;

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool in_section_ = false;
  std::string section_;
  std::string subsection_;
  std::string key_;
  std::string value_;
  bool has_value_ = false;
  int begin_line_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t value_begin_ = 0;
  GitConfigFault fault_;
};

// Whether it can be a key: a letter, then letters, digits and hyphens.
bool is_git_config_key(std::string_view text);
std::string git_config_lower_case(std::string_view text);

}  // namespace usvc
