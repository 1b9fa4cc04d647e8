// Which files a log consists of. The live one has the name everybody knows, rotated ones a number behind it:
//   NAME.log                 live, with NAME.log.idx
//   old/NAME.log.000007      rotated, with old/NAME.log.000007.idx
//   old/NAME.log.000006.zst  compressed since; its index stays as it was
// `old` is logs/old for logs in their usual place, and the log's own directory for one that a conf puts elsewhere.
// While one is being compressed, or when that was cut short, NUMBER.zst.tmp lies beside it: no file of the log. Where
// both NUMBER and NUMBER.zst are there the latter is whole and the former about to go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "job/layout.h"

namespace usvc {

inline constexpr std::string_view compressed_log_end = ".zst";
inline constexpr std::string_view unfinished_log_end = ".zst.tmp";

struct LogFile {
  std::string path;
  std::string index_path;
  std::uint32_t number = 0;  // 0: the live one
  bool compressed = false;
};

// What the name of a file among rotated ones says.
enum class RotatedKind : std::uint8_t { plain, compressed, index, unfinished };
struct RotatedName {
  std::uint32_t number = 0;
  RotatedKind kind = RotatedKind::plain;
};
// Nothing for what does not belong to the log NAME.log: "NAME.log.000007", with .zst, .idx or .zst.tmp behind it.
std::optional<RotatedName> parse_rotated_name(std::string_view file_name, std::string_view log_name);

// Where rotated files of this log lie.
std::string old_logs_of(const Layout& layout, const std::string& log);

// Oldest first, the live one last (whether or not it exists).
Result<std::vector<LogFile>> log_files(const Layout& layout, const std::string& log);

// The name that the live file gets at its next rotation: one above all that are there, a forgotten index included.
Result<LogFile> next_rotated(const Layout& layout, const std::string& log);

std::string index_of(const std::string& log);      // NAME.log.idx
std::string error_log_of(const std::string& log);  // NAME.err.log: stderr where it is kept apart
// Whether error_log_of() gives such a name to some log.
bool is_error_log_name(std::string_view path);

}  // namespace usvc
