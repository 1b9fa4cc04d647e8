// A job's conf as anybody may have edited it: an error on one line, or a conf that survives being written and read.
#include "job/conf.h"

#include <algorithm>

#include "fuzz.h"
#include "job/layout.h"
#include "manager/conf_store.h"

namespace {

using namespace usvc;
using fuzz::must;

constexpr const char* name = "web-1";

// In a home of our own, made once.
struct World {
  World() {
    auto found = Layout::from(
        scratch.path(), [](const char*) -> const char* { return nullptr; }, "/");
    must(found.has_value(), "there is a home");
    layout = std::move(*found);
    must(ensure_private_dir(layout.jobs_dir).has_value(), "there is a directory for confs");
  }
  fuzz::Scratch scratch;
  Layout layout;
};

// It would read other files.
bool includes(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return lower.find("include") != std::string::npos;
}

void put(const Layout& layout, std::string_view text) {
  must(write_file_atomically(layout.conf_path(name), text, Flush::no).has_value(), "a conf can be written");
}

void must_survive(const Layout& layout, const Conf& conf) {
  const auto entries = conf_to_entries(conf);
  const auto again = conf_from_entries(entries);
  must(again && *again == conf, "a conf's entries make the same conf", conf_text(entries));
  must(save_conf(layout, conf).has_value(), "a conf can be saved");
  const auto loaded = load_conf(layout, name);
  must(loaded.has_value(), "a saved conf can be loaded", loaded ? "" : loaded.error().message());
  must(loaded->conf == conf, "a saved conf is loaded the same", conf_text(conf_to_entries(loaded->conf)));
}

// Changing one value changes that value, or nothing.
void change(const Layout& layout, const Conf& conf, const std::string& key, const std::string& value) {
  const auto changed = set_conf(layout, name, key, value);
  const auto loaded = load_conf(layout, name);
  must(loaded.has_value(), "a changed conf can be loaded", loaded ? "" : loaded.error().message());
  if (!changed) {
    fuzz::must_be_one_line(changed.error());
    must(loaded->conf == conf, "a change that failed changed nothing");
    return;
  }
  const auto entries = load_conf_entries(layout, name);
  must(entries.has_value(), "a changed conf has entries");
  const bool there = std::ranges::any_of(*entries, [&](const ConfEntry& e) { return e.key == key; });
  const bool as_set =
      std::ranges::any_of(*entries, [&](const ConfEntry& e) { return e.key == key && e.value == value; });
  must(as_set || (value.empty() && !there), "a changed value is read as it was set, an empty one removes it", value);
}

}  // namespace

// The conf up to a NUL byte; behind it KEY=VALUE to set.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const World world;
  const std::string_view all = fuzz::text_of(data, size);
  const std::string_view text = all.substr(0, all.find('\0'));
  if (includes(text)) return 0;
  put(world.layout, text);
  const auto conf = load_conf(world.layout, name);
  if (!conf) {
    fuzz::must_be_one_line(conf.error());
    return 0;
  }
  if (text.size() < all.size()) {
    const std::string_view setting = all.substr(text.size() + 1);
    const auto equals = setting.find('=');
    if (equals != std::string_view::npos && !includes(setting)) {
      change(world.layout, conf->conf, std::string(setting.substr(0, equals)), std::string(setting.substr(equals + 1)));
    }
  }
  must_survive(world.layout, conf->conf);
  return 0;
}
