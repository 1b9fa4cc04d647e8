#include "cli/doctor/judge.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/text.h"

namespace usvc::doctor {

namespace {

// Of a limit: what is left of it will be gone before long.
bool nearly_used(std::uint64_t used, std::uint64_t most) {
  return used >= most - most / 8;
}

constexpr std::uint64_t no_space = std::uint64_t{256} << 10U;
constexpr std::uint64_t little_space = std::uint64_t{64} << 20U;  // one log, before it is rotated
constexpr std::uint64_t tight_space = std::uint64_t{1} << 30U;

std::uint64_t percent_free(std::uint64_t free, std::uint64_t total) {
  return total == 0 ? 100 : free / std::max<std::uint64_t>(1, total / 100);
}

}  // namespace

FindingView judge_terminals(const Terminals& terminals) {
  std::string what = fmt::format("{} of {} pseudo-terminals are taken", terminals.used, terminals.most);
  if (!nearly_used(terminals.used, terminals.most)) return well("terminals", what);
  if (terminals.reserved > 0) what += fmt::format(" (a container gets {} fewer)", terminals.reserved);
  const std::uint64_t better = std::max<std::uint64_t>(4096, 2 * terminals.most);
  return trouble("terminals", what + "; each job needs one, unless it is started with --no-tty",
                 terminals.of_mount ? fmt::format("sudo mount -o remount,max={} /dev/pts", better)
                                    : fmt::format("sudo sysctl kernel.pty.max={}", better));
}

FindingView judge_descriptors(const std::string& name, pid_t pid, std::uint64_t open, const DescriptorLimit& limit) {
  constexpr auto unlimited = std::numeric_limits<std::uint64_t>::max();
  const std::string most = limit.soft == unlimited ? "any number" : std::to_string(limit.soft);
  const std::string what = fmt::format("{}: {} of {} open files", name, open, most);
  if (!nearly_used(open, limit.soft)) return well("limits", what);
  const std::uint64_t better = std::max<std::uint64_t>(65536, 4 * open);
  // Up to the hard limit everybody may raise their own.
  const bool own = !nearly_used(open, limit.hard);
  return trouble("limits", what + "; with no more of them no job can be started",
                 own ? fmt::format("prlimit --pid {} --nofile={}:", pid, limit.hard == unlimited ? better : limit.hard)
                     : fmt::format("sudo prlimit --pid {} --nofile={}:{}", pid, better, better));
}

FindingView judge_space(const Space& space, const std::string& logs_dir, const std::string& settings) {
  const std::string where = printable(space.path);
  const std::string about = "disk";
  if (space.read_only) {
    return trouble(about, where + " is on a filesystem that is mounted read-only",
                   "remount it, or keep the instance elsewhere: usvc --home DIR");
  }
  const std::string what =
      fmt::format("{}: {} free ({} %)", where, format_size(space.free), percent_free(space.free, space.total));
  const std::string mend = fmt::format("make room; of usvc's are: usvc clean dead, {}/old, log-total in {}",
                                       shell_quote(logs_dir), shell_quote(settings));
  if (space.inodes > 0 && space.free_inodes < 64) return trouble(about, where + ": no room for more files", mend);
  const auto percent = percent_free(space.free, space.total);
  if (space.free < no_space || (space.free < little_space && percent < 10)) {
    return trouble(about, what + "; jobs' output waits when there is no room", mend);
  }
  if (space.total < little_space) {
    return hint(about,
                fmt::format("{}, of {} in all: small for logs, which grow to 64M each", what, format_size(space.total)),
                "keep them smaller (usvc conf JOB log-max-size 1M), or the instance elsewhere: usvc --home DIR");
  }
  if (space.free < little_space || (space.free < tight_space && percent < 5)) return hint(about, what, mend);
  if (!space.network.empty()) {
    return hint(about, where + " is on a network filesystem (" + space.network + "): when it stalls, so does usvc",
                "keep the instance on a local disk: usvc --home DIR");
  }
  return well(about, what);
}

std::optional<FindingView> judge_mode(const Owned& file, uid_t user) {
  constexpr uid_t root = 0;
  const std::string name = shell_quote(file.path);
  const bool trusted = file.owner == user || (!file.secret && file.owner == root);
  if (!trusted) {
    return trouble(
        "modes", fmt::format("{} belongs to user {}, not to you", name, file.owner),
        file.home ? "use a directory of your own: usvc --home DIR" : fmt::format("sudo chown {} {}", user, name));
  }
  const unsigned mode = file.mode & 0777U;
  if (file.directory && file.secret && user != root && (mode & 0700U) != 0700U) {
    return trouble("modes", fmt::format("{} can't be used by you (mode {:03o}): starts fail", name, mode),
                   fmt::format("chmod 700 {}", name));
  }
  if ((mode & (file.secret ? 077U : 022U)) == 0) return std::nullopt;
  return trouble(
      "modes", fmt::format("{} can be {} by others (mode {:03o})", name, (mode & 022U) != 0 ? "changed" : "read", mode),
      fmt::format("chmod {} {}",
                  !file.secret     ? "go-w"
                  : file.directory ? "700"
                                   : "600",
                  name));
}

}  // namespace usvc::doctor
