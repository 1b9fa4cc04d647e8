#include "keeper/handover.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

namespace usvc::keeper {

namespace {

// Raised only when adding is not enough; then the two versions can't follow each other.
constexpr int state_version = 1;

struct RoleName {
  Role role;
  std::string_view name;
};
constexpr std::array role_names = {
    RoleName{Role::pidfd, "pidfd"},
    RoleName{Role::output, "output"},
    RoleName{Role::error_output, "error-output"},
    RoleName{Role::input, "input"},
    RoleName{Role::log, "log"},
    RoleName{Role::error_log, "error-log"},
    RoleName{Role::carry_read, "carry-read"},
    RoleName{Role::carry_write, "carry-write"},
    RoleName{Role::carry_owner, "carry-owner"},
    RoleName{Role::listener, "listener"},
    RoleName{Role::lock, "lock"},
    RoleName{Role::spill, "spill"},
    RoleName{Role::token, "token"},
};
static_assert(role_names.size() == static_cast<std::size_t>(Role::token), "a role that would be lost in an upgrade");

struct FlagName {
  Flag flag;
  std::string_view name;
};
constexpr std::array flag_names = {
    FlagName{flag_child, "child"},       FlagName{flag_terminal, "terminal"},       FlagName{flag_trial, "trial"},
    FlagName{flag_upgraded, "upgraded"}, FlagName{flag_rolled_back, "rolled-back"},
};

void add_word(std::string& line, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  line.append(" ").append(key).append("=").append(value);
}

void add_fd(std::string& line, std::string_view key, int fd) {
  if (fd >= 0) add_word(line, key, std::to_string(fd));
}

std::string item_line(const HandedItem& item) {
  std::string flags;
  for (const auto& row : flag_names) {
    if ((item.flags & row.flag) != 0) flags.append(flags.empty() ? "" : ",").append(row.name);
  }
  std::string fds;
  for (const auto& held : item.fds) {
    const auto* const row =
        std::find_if(role_names.begin(), role_names.end(), [&](const RoleName& r) { return r.role == held.role; });
    if (row == role_names.end()) continue;
    fds.append(fds.empty() ? "" : ",").append(row->name).append(":").append(std::to_string(held.fd));
  }
  std::string line = "item";
  add_word(line, "id", item.id);
  add_word(line, "pid", std::to_string(item.pid));
  add_word(line, "flags", flags);
  if (item.ended_at_us > 0) add_word(line, "ended", std::to_string(item.ended_at_us));
  add_word(line, "fds", fds);
  return line;
}

std::optional<int> number(std::string_view text) {
  const auto value = parse_integer<int>(text);
  return value && *value >= 0 ? value : std::nullopt;
}

// One line: its kind, and the values of its keys.
class Line {
 public:
  explicit Line(std::string_view text) : words_(split(text, ' ')) {}
  [[nodiscard]] std::string_view kind() const { return words_.front(); }
  [[nodiscard]] std::string_view value(std::string_view key) const {
    for (const auto word : words_) {
      if (word.size() > key.size() && word.starts_with(key) && word[key.size()] == '=') {
        return word.substr(key.size() + 1);
      }
    }
    return {};
  }
  // -1 when the key is not there; nothing when it is no number.
  [[nodiscard]] std::optional<int> fd(std::string_view key) const {
    const auto text = value(key);
    return text.empty() ? std::optional<int>(-1) : number(text);
  }

 private:
  std::vector<std::string_view> words_;
};

bool read_fds(std::string_view text, std::vector<HandedFd>& fds) {
  for (const auto word : split(text, ',')) {
    if (word.empty()) continue;
    const auto colon = word.find(':');
    const auto fd = colon == std::string_view::npos ? std::nullopt : number(word.substr(colon + 1));
    if (!fd) return false;
    const auto* const row = std::find_if(role_names.begin(), role_names.end(),
                                         [&](const RoleName& r) { return r.name == word.substr(0, colon); });
    if (row != role_names.end()) fds.push_back({row->role, *fd});
  }
  return true;
}

bool read_item(const Line& line, HandedItem& item) {
  item.id = line.value("id");
  const auto pid = number(line.value("pid"));
  if (item.id.empty() || !pid) return false;
  item.pid = *pid;
  for (const auto word : split(line.value("flags"), ',')) {
    for (const auto& row : flag_names) {
      if (row.name == word) item.flags |= row.flag;
    }
  }
  item.ended_at_us = std::max<std::int64_t>(parse_integer<std::int64_t>(line.value("ended")).value_or(0), 0);
  return read_fds(line.value("fds"), item.fds);
}

// False: the line makes no sense.
bool read_line(const Line& line, Handover& state) {
  if (line.kind() == "programs") {
    const auto manager = line.fd("manager");
    const auto old_keeper = line.fd("old-keeper");
    const auto old_manager = line.fd("old-manager");
    if (!manager || !old_keeper || !old_manager) return false;
    state.manager = *manager;
    state.old_keeper = *old_keeper;
    state.old_manager = *old_manager;
  } else if (line.kind() == "guard") {
    const auto guard = line.fd("pidfd");
    if (!guard) return false;
    state.guard = *guard;
  } else if (line.kind() == "item") {
    HandedItem item;
    if (!read_item(line, item)) return false;
    state.items.push_back(std::move(item));
  }
  return true;
}

}  // namespace

std::string to_text(const Handover& state) {
  std::string text = "state version=" + std::to_string(state_version) + "\nprograms";
  add_fd(text, "manager", state.manager);
  add_fd(text, "old-keeper", state.old_keeper);
  add_fd(text, "old-manager", state.old_manager);
  text += "\nguard";
  add_fd(text, "pidfd", state.guard);
  text += "\n";
  for (const auto& item : state.items) text += item_line(item) + "\n";
  return text + "end items=" + std::to_string(state.items.size()) + "\n";
}

Result<Handover> from_text(std::string_view text) {
  if (!text.ends_with('\n')) return fail("the keeper's state is cut off");
  text.remove_suffix(1);
  const auto lines = split(text, '\n');
  const Line first(lines.front());
  const auto version = number(first.value("version"));
  if (first.kind() != "state" || !version) return fail("this is no keeper's state");
  if (*version != state_version) return fail("the keeper's state is of version " + std::to_string(*version));
  Handover state;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    if (!read_line(Line(lines[i]), state)) return fail("the keeper's state cannot be read: " + printable(lines[i]));
  }
  const Line last(lines.back());
  if (last.kind() != "end" || number(last.value("items")) != static_cast<int>(state.items.size())) {
    return fail("the keeper's state is cut off");
  }
  auto fds = descriptors_of(state);
  std::sort(fds.begin(), fds.end());
  if (std::adjacent_find(fds.begin(), fds.end()) != fds.end()) {
    return fail("the keeper's state names a descriptor twice");
  }
  return state;
}

std::vector<int> descriptors_of(const Handover& state) {
  std::vector<int> fds;
  for (const int fd : {state.manager, state.old_keeper, state.old_manager, state.guard}) {
    if (fd >= 0) fds.push_back(fd);
  }
  for (const auto& item : state.items) {
    for (const auto& held : item.fds) fds.push_back(held.fd);
  }
  return fds;
}

Result<Fd> write_state(const Handover& state) {
  auto file = make_memory_file("usvc-keeper-state", 0);
  if (!file) return file;
  if (auto written = write_all(*file, to_text(state)); !written) return pass(written);
  return file;
}

Result<Handover> read_state(FdRef file) {
  auto size = file_size(file);
  if (!size) return pass(size, "cannot read the keeper's state");
  const auto text = read_at(file, 0, *size);
  if (!text) return fail(Error(text.error()).context("cannot read the keeper's state"));
  auto state = from_text(*text);
  if (!state) return state;
  for (const int fd : descriptors_of(*state)) {
    if (::fcntl(fd, F_GETFD) < 0)
      return fail(Error::last("descriptor " + std::to_string(fd) + " of the keeper's state"));
  }
  return state;
}

}  // namespace usvc::keeper
