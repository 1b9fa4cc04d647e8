#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "job/substitute.h"

namespace usvc {
namespace {

Facts facts() {
  return {.exit_status = 143,
          .job_name = "web-1",
          .hostname = "box",
          .run_length = std::chrono::milliseconds(90'999),
          .deaths = 7};
}

TEST(SubstituteArgument, ReplacesWholeArgumentsOnly) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"~EXIT_STATUS", "143"},
      {"~JOB_NAME", "web-1"},
      {"~HOSTNAME", "box"},
      {"~RUN_LENGTH", "90"},
      {"~DEATHS", "7"},
      {"--name=~JOB_NAME", "--name=~JOB_NAME"},
      {"~JOB_NAME.log", "~JOB_NAME.log"},
      {"~JOB_NAMES", "~JOB_NAMES"},
      {" ~JOB_NAME", " ~JOB_NAME"},
      {"~job_name", "~job_name"},
      {"JOB_NAME", "JOB_NAME"},
      {"~", "~"},
      {"~/bin", "~/bin"},
      {"", ""},
  };
  for (const auto& [argument, expected] : table) EXPECT_EQ(substitute_argument(argument, facts()), expected);
}

TEST(SubstituteHook, ReplacesTokensAnywhere) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"echo ~JOB_NAME on ~HOSTNAME", "echo web-1 on box"},
      {"~EXIT_STATUS~DEATHS", "1437"},
      {"~~DEATHS~", "~7~"},
      {"test ~EXIT_STATUS -eq 143 && log '~RUN_LENGTH s'", "test 143 -eq 143 && log '90 s'"},
      {"x~JOB_NAME.log", "xweb-1.log"},
      {"~DEATHS2", "72"},
      {"~DEATHSTAR ~DEATHS_ ~DEATHSx ~DEATHS-", "~DEATHSTAR ~DEATHS_ ~DEATHSx 7-"},
      {"~EXIT ~EXIT_STATU ~", "~EXIT ~EXIT_STATU ~"},
      {"ls ~/x ~root", "ls ~/x ~root"},
      {"", ""},
  };
  for (const auto& [hook, expected] : table) EXPECT_EQ(substitute_hook(hook, facts()), expected);
}

TEST(SubstituteHook, WhatIsPutInIsNotReplacedAgain) {
  Facts odd = facts();
  odd.hostname = "~DEATHS";
  EXPECT_EQ(substitute_hook("~HOSTNAME ~DEATHS", odd), "~DEATHS 7");
}

TEST(Substitute, BeforeTheFirstRunEverythingIsZero) {
  EXPECT_EQ(substitute_hook("~EXIT_STATUS,~RUN_LENGTH,~DEATHS", Facts{}), "0,0,0");
}

}  // namespace
}  // namespace usvc
