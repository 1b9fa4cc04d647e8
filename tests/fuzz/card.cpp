// The launch card as the child sees it: nothing it accepts leads outside, and what was written arrives.
#include "keeper/card.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "base/memory.h"
#include "base/text.h"
#include "fuzz.h"

namespace {

using namespace usvc;
using namespace usvc::keeper;
using fuzz::must;

// A card of exactly its size, so that the address sanitizer sees each byte beside it.
struct Card {
  explicit Card(std::string_view text) : size(text.size()), bytes(new std::byte[text.size()]) {
    std::memcpy(bytes.get(), text.data(), size);
  }
  [[nodiscard]] std::span<std::byte> span() const { return {bytes.get(), size}; }
  std::size_t size;
  std::unique_ptr<std::byte[]> bytes;
};

// All but a few cards fail at the first comparison; these get the parts right that say nothing of the rest.
void make_plausible(std::string& text) {
  text.resize(std::max(text.size(), sizeof(CardHeader) + sizeof(char*)));
  CardHeader header;
  std::memcpy(&header, text.data(), sizeof header);
  header.tag = card_tag;
  header.version = card_version;
  header.size = text.size();
  std::memcpy(text.data(), &header, sizeof header);
  text.back() = '\0';
}

void must_be_text_inside(const Card& card, const char* text) {
  const auto* const begin = reinterpret_cast<const char*>(card.bytes.get());
  const auto at = reinterpret_cast<std::uintptr_t>(text);
  const auto first = reinterpret_cast<std::uintptr_t>(begin);
  must(at >= first && at < first + card.size, "a text is inside the card");
  must(std::memchr(text, 0, card.size - (at - first)) != nullptr, "a text ends inside the card");
}

void must_be_list_inside(const Card& card, std::uint64_t table, std::uint64_t count) {
  must(table % alignof(char*) == 0 && table <= card.size && count < (card.size - table) / sizeof(char*),
       "a list is inside the card");
  for (std::uint64_t i = 0; i <= count; ++i) {
    const char* text = nullptr;
    std::memcpy(&text, card.bytes.get() + table + i * sizeof text, sizeof text);
    if (i == count)
      must(text == nullptr, "a list is ended by a null");
    else
      must_be_text_inside(card, text);
  }
}

// As child_main() in keeper/launch.cpp reads it.
void use(const Card& card) {
  CardHeader header;
  std::memcpy(&header, card.bytes.get(), sizeof header);
  for (const std::uint64_t offset : {header.path, header.cwd, header.shell}) {
    must(offset < card.size, "an offset is inside the card");
    must_be_text_inside(card, reinterpret_cast<const char*>(card.bytes.get()) + offset);
  }
  must(header.argc > 0 && header.argv >= sizeof(CardHeader) + sizeof(char*), "there is a spare slot before argv[0]");
  must_be_list_inside(card, header.argv, header.argc);
  must_be_list_inside(card, header.env, header.envc);
  must(header.limits <= card.size && header.limit_count <= (card.size - header.limits) / sizeof(Limit),
       "the limits are inside the card");
}

std::vector<std::string> texts_of(std::string_view text, char separator) {
  std::vector<std::string> texts;
  for (const auto part : split(text, separator)) texts.emplace_back(part.substr(0, part.find('\0')));
  return texts;
}

void round_trip(std::string_view input) {
  CardSpec spec;
  const auto lines = texts_of(input, '\n');
  spec.path = lines.front();
  spec.cwd = lines.back();
  spec.argv = texts_of(input, ' ');
  spec.env = lines;
  if (input.size() % 3 == 0) spec.umask = 077;
  spec.limits.resize(lines.size() % 5);
  auto file = make_card(spec);
  must(file.has_value(), "a card can be made");
  auto mapping = Mapping::map(*file, *file_size(*file), Mapping::Sharing::copy_on_write);
  must(mapping && relocate(mapping->bytes()), "a card that was made is sound");
  const auto* const base = reinterpret_cast<const char*>(mapping->bytes().data());
  CardHeader header;
  std::memcpy(&header, base, sizeof header);
  must(base + header.path == spec.path && base + header.cwd == spec.cwd, "path and directory arrive");
  must(header.argc == spec.argv.size() && header.envc == spec.env.size(), "nothing is missing");
  const auto* const argv = reinterpret_cast<const char* const*>(base + header.argv);
  const auto* const env = reinterpret_cast<const char* const*>(base + header.env);
  for (std::size_t i = 0; i < spec.argv.size(); ++i) must(argv[i] == spec.argv[i], "an argument arrives");
  for (std::size_t i = 0; i < spec.env.size(); ++i) must(env[i] == spec.env[i], "a variable arrives");
  must(argv[spec.argv.size()] == nullptr && env[spec.env.size()] == nullptr, "the lists end");
}

}  // namespace

// The first byte chooses: a card as it is, a card whose frame is made right, texts to make one of.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::string text(fuzz::text_of(data, size).substr(1));
  if (data[0] % 3 == 2) {
    round_trip(text);
    return 0;
  }
  if (data[0] % 3 == 1) make_plausible(text);
  const Card card(text);
  if (relocate(card.span())) use(card);
  return 0;
}
