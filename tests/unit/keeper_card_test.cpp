#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/memory.h"
#include "keeper/card.h"

namespace usvc::keeper {
namespace {

CardSpec nasty_spec() {
  CardSpec spec;
  spec.path = "/bin/echo";
  spec.argv = {"echo", "", "two words", "new\nline", std::string(100'000, 'x'), "-x"};
  spec.env = {"A=1", "EMPTY=", "LONG=" + std::string(5000, 'y')};
  spec.cwd = "/tmp";
  spec.umask = 027;
  spec.limits = {{7, 1024, 4096}, {4, 0, 0}};
  return spec;
}

Mapping private_copy(const CardSpec& spec) {
  auto file = make_card(spec);
  EXPECT_TRUE(file) << file.error().message();
  auto mapping = Mapping::map(*file, *file_size(*file), Mapping::Sharing::copy_on_write);
  EXPECT_TRUE(mapping) << mapping.error().message();
  return std::move(*mapping);
}

CardHeader header_of(const Mapping& card) {
  CardHeader header;
  std::memcpy(&header, card.bytes().data(), sizeof header);
  return header;
}

std::vector<std::string> strings(const Mapping& card, std::uint64_t table, std::uint64_t count) {
  std::vector<std::string> texts;
  char** const pointers = reinterpret_cast<char**>(card.bytes().data() + table);
  for (std::uint64_t i = 0; i < count; ++i) texts.emplace_back(pointers[i]);
  EXPECT_EQ(pointers[count], nullptr);
  return texts;
}

TEST(Card, ArgumentsAndEnvironmentArriveExactly) {
  const CardSpec spec = nasty_spec();
  const Mapping card = private_copy(spec);
  ASSERT_TRUE(relocate(card.bytes()));
  const CardHeader header = header_of(card);
  EXPECT_EQ(strings(card, header.argv, header.argc), spec.argv);
  EXPECT_EQ(strings(card, header.env, header.envc), spec.env);
  EXPECT_STREQ(reinterpret_cast<char*>(card.bytes().data()) + header.path, "/bin/echo");
  EXPECT_STREQ(reinterpret_cast<char*>(card.bytes().data()) + header.cwd, "/tmp");
  EXPECT_EQ(header.umask, 027);
  EXPECT_EQ(header.set_nice, 0U);
  ASSERT_EQ(header.limit_count, 2U);
  Limit limit;
  std::memcpy(&limit, card.bytes().data() + header.limits, sizeof limit);
  EXPECT_EQ(limit.resource, 7);
  EXPECT_EQ(limit.hard, 4096U);
}

TEST(Card, EmptyEnvironmentIsAnEmptyList) {
  CardSpec spec;
  spec.path = "/bin/true";
  spec.argv = {"true"};
  const Mapping card = private_copy(spec);
  ASSERT_TRUE(relocate(card.bytes()));
  EXPECT_TRUE(strings(card, header_of(card).env, 0).empty());
}

TEST(Card, BrokenOnesAreRefused) {
  struct Case {
    const char* what;
    std::size_t offset;
    std::uint64_t value;
  };
  const Case cases[] = {
      {"tag", offsetof(CardHeader, tag), 1},
      {"size", offsetof(CardHeader, size), 8},
      {"path beyond the end", offsetof(CardHeader, path), 1U << 30U},
      {"argv beyond the end", offsetof(CardHeader, argv), 1U << 30U},
      {"argv not aligned", offsetof(CardHeader, argv), 513},
      {"no argv[0]", offsetof(CardHeader, argc), 0},
      {"more arguments than there is room for", offsetof(CardHeader, argc), 1U << 30U},
      {"count that overflows", offsetof(CardHeader, envc), ~std::uint64_t{0}},
      {"an environment that begins in the header", offsetof(CardHeader, env), offsetof(CardHeader, path)},
      {"arguments without an end", offsetof(CardHeader, argc), nasty_spec().argv.size() - 1},
      {"an environment without an end", offsetof(CardHeader, envc), 1},
      {"limits beyond the end", offsetof(CardHeader, limits), 1U << 30U},
      {"more limits than there is room for", offsetof(CardHeader, limit_count), ~std::uint64_t{0} / 8},
  };
  for (const auto& broken : cases) {
    const Mapping card = private_copy(nasty_spec());
    std::memcpy(card.bytes().data() + broken.offset, &broken.value, sizeof broken.value);
    EXPECT_FALSE(relocate(card.bytes())) << broken.what;
  }
  std::vector<std::byte> small(10);
  EXPECT_FALSE(relocate(small));
}

}  // namespace
}  // namespace usvc::keeper
