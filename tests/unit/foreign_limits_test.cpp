// How large a set another program's file may come to, and that it is read without squares of it.
#include "unit/foreign_testing.h"

namespace usvc::foreign {
namespace {

TEST(ForeignLimits, AliasesAreBoundedByWhatTheyCopy) {
  std::string text = "processes:\n  a: &a \"" + std::string(std::size_t{1} << 20U, 'x') + "\"\nb:\n";
  for (int i = 0; i < 70; ++i) text += "  - *a\n";
  const auto around = somewhere("p.yaml");
  EXPECT_TRUE(
      import_error(Format::compose, text, around).starts_with("p.yaml:2: this is nested too deep, or too large"));
}

TEST(ForeignLimits, ManyKeysAreMergedInNoTime) {
  std::string text = "x: &x\n";
  for (int i = 0; i < 60'000; ++i) text += "  k" + std::to_string(i) + ": 1\n";
  text += "y:\n  <<: *x\n  k7: 2\nprocesses: {a: {command: x}}\n";
  EXPECT_EQ(imported(Format::compose, text, somewhere("p.yaml")).jobs.size(), 1U);
}

TEST(ForeignLimits, JsonHasThemToo) {
  std::string text = "[\n0";
  for (int i = 0; i < 200'000; ++i) text += ",0";
  EXPECT_TRUE(import_error(Format::pm2, text + "]", somewhere("e.json"))
                  .starts_with("e.json:2: this is nested too deep, or too large"));
  EXPECT_TRUE(import_error(Format::pm2, std::string(70, '['), somewhere("e.json"))
                  .starts_with("e.json:1: this is nested too deep, or too large"));
  const std::string string = "[\"" + std::string((std::size_t{64} << 20U) + 1, 'x') + "\"]";
  EXPECT_TRUE(import_error(Format::pm2, string, somewhere("e.json"))
                  .starts_with("e.json:1: this is nested too deep, or too large"));
}

// Drafts of all of them would take minutes.
TEST(ForeignLimits, ASetHasSoManyJobsAndNoMore) {
  std::string compose_text = "processes:\n";
  std::string ini;
  std::string apps = "[\n";
  std::string lines;
  for (int i = 0; i < 2000; ++i) {
    const std::string name = "a" + std::to_string(i);
    compose_text += "  " + name + ": {command: missing, replicas: 6000}\n";
    ini += "[program:" + name + "]\ncommand=missing\nnumprocs=6000\n";
    apps += "{\"script\": \"missing\", \"instances\": 6000},\n";
  }
  for (int i = 0; i < 10'001; ++i) lines += "a: missing\n";
  const auto begins = [](const std::string& text, const std::string& place) {
    return text.starts_with(place + ": a set has at most 10000 jobs");
  };
  const auto error = [](Format format, const std::string& text) { return import_error(format, text, somewhere("f")); };
  EXPECT_TRUE(begins(error(Format::compose, compose_text), "f:3"));
  EXPECT_TRUE(begins(error(Format::supervisord, ini), "f:4"));
  EXPECT_TRUE(begins(error(Format::pm2, apps + "]"), "f:3"));
  EXPECT_TRUE(begins(error(Format::procfile, lines), "f:10001"));
}

TEST(ForeignLimits, CopiesOfAJobAreBoundedByTheirBytes) {
  const std::string text = "processes:\n  a:\n    replicas: 10000\n    command: x\n    environment: [A=" +
                           std::string(std::size_t{1} << 20U, 'x') + "]\n";
  EXPECT_TRUE(import_error(Format::compose, text, somewhere("p.yaml")).starts_with("p.yaml:2: with all copies"));
}

TEST(ForeignLimits, ManyOfOneNameAreNumberedInNoTime) {
  const auto set = imported(Format::supervisord,
                            "[program:a]\ncommand=x\nnumprocs=10000\nprocess_name=%(program_name)s\n", somewhere("s"));
  ASSERT_EQ(set.jobs.size(), 10'000U);
  EXPECT_EQ(set.jobs.front().name, "a");
  EXPECT_EQ(set.jobs.at(1).name, "a-2");
  EXPECT_EQ(set.jobs.back().name, "a-10000");
}

}  // namespace
}  // namespace usvc::foreign
