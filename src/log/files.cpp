#include "log/files.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "base/files.h"
#include "base/text.h"

namespace usvc {

namespace {

constexpr std::string_view index_end = ".idx";
constexpr std::string_view log_end = ".log";
constexpr std::string_view error_end = ".err";

LogFile rotated_file(const std::string& directory, std::string_view log, std::uint32_t number, bool compressed) {
  LogFile file;
  file.path = fmt::format("{}/{}.{:06}", directory, file_name_of(log), number);
  file.index_path = file.path + std::string(index_end);
  if (compressed) file.path += compressed_log_end;
  file.number = number;
  file.compressed = compressed;
  return file;
}

Result<std::vector<std::string>> names_in(const std::string& directory) {
  auto names = list_dir(directory);
  if (!names && names.error().code() == ENOENT) return std::vector<std::string>();
  return names;
}

}  // namespace

std::string old_logs_of(const Layout& layout, const std::string& log) {
  std::string directory = directory_of(log);
  return directory == layout.logs_dir ? layout.old_logs_dir : directory;
}

std::optional<RotatedName> parse_rotated_name(std::string_view file_name, std::string_view log_name) {
  if (log_name.empty() || !file_name.starts_with(log_name)) return std::nullopt;
  file_name.remove_prefix(log_name.size());
  if (!file_name.starts_with('.')) return std::nullopt;
  file_name.remove_prefix(1);
  const auto digits = file_name.substr(0, file_name.find_first_not_of("0123456789"));
  // Written in one way only: six digits, more where they are needed.
  if (digits.size() < 6 || digits.size() > 9 || (digits.size() > 6 && digits[0] == '0')) return std::nullopt;
  RotatedName name;
  name.number = parse_integer<std::uint32_t>(digits).value_or(0);
  if (name.number == 0) return std::nullopt;
  file_name.remove_prefix(digits.size());
  if (file_name.empty()) return name;
  if (file_name == compressed_log_end) {
    name.kind = RotatedKind::compressed;
    return name;
  }
  if (file_name != index_end && file_name != unfinished_log_end) return std::nullopt;
  name.kind = file_name == index_end ? RotatedKind::index : RotatedKind::unfinished;
  return name;
}

Result<std::vector<LogFile>> log_files(const Layout& layout, const std::string& log) {
  const std::string directory = old_logs_of(layout, log);
  auto names = names_in(directory);
  if (!names) return pass(names);
  std::map<std::uint32_t, bool> compressed;
  for (const auto& name : *names) {
    const auto parsed = parse_rotated_name(name, file_name_of(log));
    if (!parsed || (parsed->kind != RotatedKind::plain && parsed->kind != RotatedKind::compressed)) continue;
    bool& is_compressed = compressed[parsed->number];
    is_compressed = is_compressed || parsed->kind == RotatedKind::compressed;
  }
  std::vector<LogFile> files;
  files.reserve(compressed.size() + 1);
  for (const auto& [number, is_compressed] : compressed) {
    files.push_back(rotated_file(directory, log, number, is_compressed));
  }
  LogFile live;
  live.path = log;
  live.index_path = index_of(log);
  files.push_back(std::move(live));
  return files;
}

Result<LogFile> next_rotated(const Layout& layout, const std::string& log) {
  const std::string directory = old_logs_of(layout, log);
  auto names = names_in(directory);
  if (!names) return pass(names);
  std::uint32_t highest = 0;
  for (const auto& name : *names) {
    if (const auto parsed = parse_rotated_name(name, file_name_of(log))) highest = std::max(highest, parsed->number);
  }
  return rotated_file(directory, log, highest + 1, false);
}

std::string index_of(const std::string& log) {
  return log + std::string(index_end);
}

std::string error_log_of(const std::string& log) {
  if (!log.ends_with(log_end)) return log + std::string(error_end);
  return log.substr(0, log.size() - log_end.size()) + std::string(error_end) + std::string(log_end);
}

bool is_error_log_name(std::string_view path) {
  if (path.ends_with(log_end)) path.remove_suffix(log_end.size());
  return path.ends_with(error_end);
}

}  // namespace usvc
