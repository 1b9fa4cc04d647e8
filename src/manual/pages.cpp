#include "manual/pages.h"

#include <algorithm>
#include <cctype>

#include "base/files.h"
#include "base/text.h"
#include "base/version.h"
#include "manual/roff.h"
#include "manual/tables.h"

namespace usvc {

namespace {

constexpr std::string_view directive = "@@ ";

std::string title_line(const std::string& name) {
  const auto dot = name.rfind('.');
  std::string title = name.substr(0, dot);
  std::transform(title.begin(), title.end(), title.begin(), [](unsigned char c) { return std::toupper(c); });
  return ".TH " + roff_text(title) + " " + name.substr(dot + 1) + " " USVC_DATE " \"usvc " + own_version() + "\"\n";
}

Result<std::string> expand(std::string_view text) {
  std::string result;
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with(directive)) {
      result += std::string(line) + "\n";
      continue;
    }
    auto table = expand_table(line.substr(directive.size()));
    if (!table) return table;
    result += *table;
  }
  while (result.ends_with("\n\n")) result.pop_back();
  return result;
}

Result<std::string> expand_file(const std::string& path) {
  auto text = read_file(path);
  if (!text) return text;
  auto expanded = expand(*text);
  if (!expanded) return pass(expanded, path);
  return expanded;
}

// `more` is what docs/man has to say besides; it may be empty.
std::string command_page(const Command& command, const std::string& more) {
  std::string text = ".SH NAME\n" + page_of(command) + " \\- " + roff_text(command.summary) + "\n";
  text += ".SH SYNOPSIS\n" + command_synopsis(command);
  if (!command.aliases.empty()) text += ".PP\nAlso called: " + roff_bold(command.aliases) + ".\n";
  if (!command.details.empty()) text += ".SH DESCRIPTION\n" + roff_lines(command.details);
  text += ".SH OPTIONS\n" + flag_items(listed_flags(command)) + more;
  return text + ".SH SEE ALSO\n.BR usvc (1)\n";
}

// Where the locale has no UTF-8 groff would complain of the one character of ours that is none of ASCII's.
std::string in_ascii(std::string text) {
  constexpr std::string_view dots = "…";
  for (auto at = text.find(dots); at != std::string::npos; at = text.find(dots, at)) {
    text.replace(at, dots.size(), "\\&...");
  }
  return text;
}

}  // namespace

Result<std::vector<Page>> manual_pages(const std::string& templates) {
  auto files = list_dir(templates);
  if (!files) return pass(files);
  const std::string directory = templates + "/";
  std::vector<Page> pages;
  for (const auto& file : *files) {
    if (!file.ends_with(".in")) continue;
    auto text = expand_file(directory + file);
    if (!text) return pass(text);
    const std::string name = file.substr(0, file.size() - 3);
    pages.push_back({name, title_line(name) + in_ascii(std::move(*text))});
  }
  for (const auto& command : command_table()) {
    std::string more;
    const std::string file = std::string(command.name) + ".inc";
    if (std::find(files->begin(), files->end(), file) != files->end()) {
      auto text = expand_file(directory + file);
      if (!text) return pass(text);
      more = std::move(*text);
    }
    const std::string name = page_of(command) + ".1";
    pages.push_back({name, title_line(name) + in_ascii(command_page(command, more))});
  }
  std::sort(pages.begin(), pages.end(), [](const Page& a, const Page& b) { return a.name < b.name; });
  return pages;
}

}  // namespace usvc
