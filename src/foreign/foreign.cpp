#include "foreign/foreign.h"

#include <algorithm>
#include <array>

#include "base/files.h"
#include "base/text.h"
#include "foreign/draft.h"
#include "job/options.h"
#include "job/set_of_jobs.h"

namespace usvc::foreign {

namespace {

bool ends_with_any(std::string_view name, std::initializer_list<std::string_view> endings) {
  return std::any_of(endings.begin(), endings.end(), [&](auto ending) { return name.ends_with(ending); });
}

bool any_line(std::string_view text, bool (*is)(std::string_view line)) {
  const auto lines = split(text, '\n');
  return std::any_of(lines.begin(), lines.end(), is);
}

bool is_own_section(std::string_view line) {
  return trim(line).starts_with("[group \"");
}

bool is_supervisord_section(std::string_view line) {
  constexpr std::array<std::string_view, 6> sections = {"[program:",       "[group:",         "[supervisord]",
                                                        "[supervisorctl]", "[eventlistener:", "[fcgi-program:"};
  line = trim(line);
  return std::any_of(sections.begin(), sections.end(), [&](auto section) { return line.starts_with(section); });
}

// Or with one of the comments that pm2 takes in it.
bool begins_as_json(std::string_view text) {
  return text.starts_with('{') || text.starts_with("//") || text.starts_with("/*");
}

bool is_compose_key(std::string_view line) {
  return line.starts_with("processes:");
}

bool is_pm2_key(std::string_view line) {
  return line.starts_with("apps:");
}

bool is_procfile_name(std::string_view name) {
  return name == "Procfile" || name.starts_with("Procfile.") || name.ends_with(".procfile");
}

bool resembles_procfile_name(std::string_view name) {
  return name.find("Procfile") != std::string_view::npos || name.find("procfile") != std::string_view::npos;
}

bool is_no_process(std::string_view line) {
  line = trim(line);
  if (line.empty() || line.front() == '#') return false;
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon + 1 == line.size()) return true;
  return line.substr(0, colon).find_first_of(" \t[\"'={") != std::string_view::npos;
}

}  // namespace

std::optional<Format> format_named(std::string_view name) {
  const auto index = choice_index(format_names, name);
  return index ? std::optional(static_cast<Format>(*index)) : std::nullopt;
}

Result<std::optional<Format>> recognise(const std::string& file, std::string_view text) {
  const std::string_view name = file_name_of(file);
  if (ends_with_any(name, {".js", ".cjs", ".mjs"})) {
    const std::string path = file.starts_with('/') ? file : "./" + file;
    return fail(Error(file + ": JavaScript has to be run to be read")
                    .hint("node -p 'JSON.stringify(require(process.argv[1]))' " + shell_quote(path) +
                          " | usvc load --from pm2 -"));
  }
  if (any_line(text, is_own_section)) return std::nullopt;
  if (is_procfile_name(name)) return Format::procfile;
  if (any_line(text, is_supervisord_section)) return Format::supervisord;
  const std::string_view beginning = trim(text);
  if (begins_as_json(beginning) || name.ends_with(".json")) return Format::pm2;
  if (any_line(text, is_pm2_key)) return Format::pm2;
  if (any_line(text, is_compose_key) || ends_with_any(name, {".yaml", ".yml"})) return Format::compose;
  if (beginning.empty() || any_line(text, is_no_process)) return std::nullopt;
  if (file == "-" || resembles_procfile_name(name)) return Format::procfile;
  // Many a file has lines that look like that, and each would be run.
  return fail(Error(file + " might be a Procfile, but is not named like one")
                  .hint("if it is: usvc load --from procfile " + shell_quote(file)));
}

Result<Imported> import_set(Format format, std::string_view text, const Surroundings& surroundings) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  switch (format) {
    case Format::procfile:
      return import_procfile(text, surroundings);
    case Format::supervisord:
      return import_supervisord(text, surroundings);
    case Format::pm2:
      return import_pm2(text, surroundings);
    case Format::compose:
      return import_compose(text, surroundings);
  }
  return Imported{};
}

std::string set_text(const std::vector<Job>& jobs) {
  std::vector<SetSection> sections;
  sections.reserve(jobs.size());
  for (const auto& job : jobs) sections.push_back({job.group, {job.name}, job.start, job.entries, job.env});
  return usvc::set_text(sections);
}

}  // namespace usvc::foreign
