#include "terminal/history_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/files.h"
#include "base/text.h"

namespace usvc {

namespace {

constexpr std::size_t most_bytes = 4 * HistoryFile::most_lines * HistoryFile::longest_line;

bool is_named(FdRef file, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(file.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

std::vector<std::string> lines_in(std::string_view text) {
  std::vector<std::string> lines;
  for (const auto line : split(text, '\n')) {
    if (!line.empty()) lines.emplace_back(line);
  }
  return lines;
}

std::string text_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

void keep_newest(std::vector<std::string>& lines) {
  const std::size_t extra = lines.size() - std::min(lines.size(), HistoryFile::most_lines);
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(extra));
}

}  // namespace

Result<Fd> HistoryFile::lock() const {
  for (;;) {
    auto file = open_file(path_, O_RDWR | O_CREAT | O_APPEND, 0600);
    if (!file) return file;
    while (::flock(file->get(), LOCK_EX) != 0) {
      if (errno != EINTR) return fail(Error::last("cannot lock " + path_));
    }
    // Another may have put a shorter one in its place meanwhile.
    if (is_named(*file, path_)) return file;
  }
}

Result<std::vector<std::string>> HistoryFile::load() {
  auto text = read_file(path_, most_bytes);
  if (!text && text.error().code() == ENOENT) return std::vector<std::string>();
  if (!text) return pass(text);
  auto lines = lines_in(*text);
  if (lines.size() > 2 * most_lines) return cut();
  keep_newest(lines);
  return lines;
}

Result<std::vector<std::string>> HistoryFile::cut() {
  const auto locked = lock();
  if (!locked) return fail(locked.error());
  // Read again, now that nobody adds to it.
  auto text = read_file(path_, most_bytes);
  if (!text) return pass(text);
  auto lines = lines_in(*text);
  keep_newest(lines);
  if (auto status = write_file_atomically(path_, text_of(lines), Flush::no); !status) return pass(status);
  return lines;
}

Status HistoryFile::add(std::string_view line) {
  if (trim(line).empty() || line.front() == ' ' || line.size() > longest_line) return {};
  if (line.find('\n') != std::string_view::npos) return {};
  auto file = lock();
  if (!file) return pass(file);
  return write_all(*file, std::string(line) + "\n");
}

}  // namespace usvc
