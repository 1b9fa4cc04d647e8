#include "proc/mounts.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/files.h"
#include "proc/scan.h"

namespace usvc {

namespace {

// Space, tab, newline, backslash and # are written as a backslash and three octal digits.
std::string decode(std::string_view word) {
  std::string text;
  text.reserve(word.size());
  const auto digit = [&](std::size_t at) { return word[at] >= '0' && word[at] <= '7'; };
  for (std::size_t at = 0; at < word.size(); ++at) {
    if (word[at] == '\\' && word.size() - at > 3 && digit(at + 1) && digit(at + 2) && digit(at + 3)) {
      text += static_cast<char>((word[at + 1] - '0') * 64 + (word[at + 2] - '0') * 8 + (word[at + 3] - '0'));
      at += 3;
    } else {
      text += word[at];
    }
  }
  return text;
}

std::optional<Mount> parse_mount(std::string_view line) {
  Words words(line);
  const auto id = whole_number<int>(words.next());
  const auto parent = whole_number<int>(words.next());
  if (!id || !parent) return std::nullopt;
  Mount mount{*id, *parent, std::string(words.next()), decode(words.next()), {}, {}, {}, {}};
  mount.point = decode(words.next());
  words.skip(1);
  while (!words.at_end() && words.next() != "-") {
  }
  mount.type = words.next();
  mount.source = decode(words.next());
  mount.options = words.next();
  if (mount.point.empty() || mount.point[0] != '/' || mount.type.empty()) return std::nullopt;
  return mount;
}

bool may_hang(const Mount& mount) {
  constexpr std::array<std::string_view, 14> types{"nfs",    "nfs4", "cifs",  "smb3", "smbfs",  "ceph",     "9p",
                                                   "autofs", "afs",  "ocfs2", "gfs2", "lustre", "virtiofs", "fuse"};
  return std::ranges::find(types, mount.type) != types.end() || mount.type.starts_with("fuse.");
}

bool covers(const std::string& point, const std::string& path) {
  if (point == "/") return true;
  return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
}

const Mount* by_id(int id, const std::vector<Mount>& all) {
  const auto at = std::ranges::find(all, id, &Mount::id);
  return at == all.end() ? nullptr : &*at;
}

// The ids from a mount down to the root it hangs on; `all` may be torn, so no longer than the table.
std::vector<int> chain_of(const Mount& mount, const std::vector<Mount>& all) {
  std::vector<int> ids{mount.id};
  for (const Mount* below = by_id(mount.parent, all); below != nullptr && ids.size() <= all.size();
       below = by_id(below->parent, all)) {
    ids.push_back(below->id);
  }
  return ids;
}

}  // namespace

std::vector<Mount> parse_mounts(std::string_view text) {
  std::vector<Mount> mounts;
  Words lines(text, '\n');
  while (!lines.at_end()) {
    if (auto mount = parse_mount(lines.next())) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

std::vector<Mount> read_mounts() {
  // To its end: one line can be longer than what read_small takes for a short last read.
  const auto text = read_file("/proc/self/mountinfo");
  return text ? parse_mounts(*text) : std::vector<Mount>();
}

bool safe_to_reach(const Mount& mount, const std::vector<Mount>& all) {
  const std::vector<int> chain = chain_of(mount, all);
  return std::ranges::none_of(all, [&](const Mount& other) {
    if (!covers(other.point, mount.point)) return false;
    // Mounted over a directory on the way, or over the mount itself: a lookup ends up there instead.
    const bool in_the_way = std::ranges::find(chain, other.id) == chain.end();
    return in_the_way || (other.point != "/" && may_hang(other));
  });
}

}  // namespace usvc
