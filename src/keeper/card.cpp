#include "keeper/card.h"

#include <cstring>
#include <string_view>

#include "base/memory.h"

namespace usvc::keeper {

namespace {

// Lays things out one after the other; run once to measure, once to write.
class Layout {
 public:
  explicit Layout(std::span<std::byte> target) : target_(target) {}

  std::uint64_t reserve(std::size_t bytes) {
    const std::uint64_t at = used_;
    used_ += (bytes + 7U) & ~std::size_t{7};
    return at;
  }
  std::uint64_t put(std::string_view text) {
    const std::uint64_t at = reserve(text.size() + 1);
    write(at, text.data(), text.size());
    return at;
  }
  void write(std::uint64_t at, const void* data, std::size_t size) {
    if (at + size <= target_.size() && size > 0) std::memcpy(target_.data() + at, data, size);
  }
  [[nodiscard]] std::size_t used() const { return used_; }

 private:
  std::span<std::byte> target_;
  std::size_t used_ = 0;
};

std::uint64_t put_list(Layout& layout, const std::vector<std::string>& list, std::size_t spare_before) {
  const std::uint64_t table = layout.reserve((list.size() + spare_before + 1) * sizeof(std::uint64_t));
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::uint64_t at = layout.put(list[i]);
    layout.write(table + (i + spare_before) * sizeof at, &at, sizeof at);
  }
  return table + spare_before * sizeof(std::uint64_t);
}

std::size_t lay_out(const CardSpec& spec, std::span<std::byte> target) {
  Layout layout(target);
  CardHeader header;
  layout.reserve(sizeof header);
  header.tag = card_tag;
  header.version = card_version;
  header.path = layout.put(spec.path);
  header.cwd = layout.put(spec.cwd);
  header.shell = layout.put("/bin/sh");
  header.argv = put_list(layout, spec.argv, 1);
  header.argc = spec.argv.size();
  header.env = put_list(layout, spec.env, 0);
  header.envc = spec.env.size();
  header.limits = layout.reserve(spec.limits.size() * sizeof(Limit));
  layout.write(header.limits, spec.limits.data(), spec.limits.size() * sizeof(Limit));
  header.limit_count = spec.limits.size();
  header.umask = spec.umask.value_or(-1);
  header.nice = spec.nice.value_or(0);
  header.set_nice = spec.nice ? 1 : 0;
  header.terminal = spec.terminal ? 1 : 0;
  header.subreaper = spec.subreaper ? 1 : 0;
  layout.put("");  // whatever string comes last, a NUL ends the card
  header.size = layout.used();
  layout.write(0, &header, sizeof header);
  return layout.used();
}

bool relocate_list(std::span<std::byte> card, std::uint64_t table, std::uint64_t count) {
  // A list that began in the header would turn what has been checked there into something else.
  if (table % alignof(char*) != 0 || table < sizeof(CardHeader) || table > card.size()) return false;
  if (count >= (card.size() - table) / sizeof(char*)) return false;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::uint64_t offset = 0;
    std::memcpy(&offset, card.data() + table + i * sizeof offset, sizeof offset);
    if (offset >= card.size()) return false;
    const auto pointer = reinterpret_cast<std::uintptr_t>(card.data() + offset);
    std::memcpy(card.data() + table + i * sizeof pointer, &pointer, sizeof pointer);
  }
  return true;
}

bool ends_in_null(std::span<const std::byte> card, std::uint64_t table, std::uint64_t count) {
  std::uintptr_t last = 0;  // a pointer, once it is relocated
  std::memcpy(&last, card.data() + table + count * sizeof last, sizeof last);
  return last == 0;
}

}  // namespace

Result<Fd> make_card(const CardSpec& spec) {
  const std::size_t size = lay_out(spec, {});
  auto file = make_memory_file("usvc-card", size);
  if (!file) return file;
  auto mapping = Mapping::map(*file, size, Mapping::Sharing::shared);
  if (!mapping) return pass(mapping);
  lay_out(spec, mapping->bytes());
  return file;
}

bool relocate(std::span<std::byte> card) {
  CardHeader header;
  if (card.size() < sizeof header) return false;
  std::memcpy(&header, card.data(), sizeof header);
  if (header.tag != card_tag || header.version != card_version || header.size != card.size()) return false;
  if (card.back() != std::byte{0}) return false;
  if (header.path >= card.size() || header.cwd >= card.size() || header.shell >= card.size()) return false;
  if (header.argc == 0 || header.argv < sizeof header + sizeof(char*)) return false;
  if (header.limits % alignof(Limit) != 0 || header.limits > card.size() ||
      header.limit_count > (card.size() - header.limits) / sizeof(Limit)) {
    return false;
  }
  if (!relocate_list(card, header.argv, header.argc) || !relocate_list(card, header.env, header.envc)) return false;
  // Only now: a list that lay over the other's end would have filled it.
  return ends_in_null(card, header.argv, header.argc) && ends_in_null(card, header.env, header.envc);
}

}  // namespace usvc::keeper
