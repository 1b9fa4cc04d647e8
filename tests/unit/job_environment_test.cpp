#include <gtest/gtest.h>

#include "job/environment.h"

namespace usvc {
namespace {

using Assignments = std::vector<std::string>;

TEST(JobEnvironment, AVariableReplacesTheEarlierOne) {
  Assignments environment = {"A=1", "AB=2", "C=3"};
  set_variable(environment, "A=x=y");
  EXPECT_EQ(environment, (Assignments{"AB=2", "C=3", "A=x=y"}));
  set_variable(environment, "NEW=");
  EXPECT_EQ(environment.back(), "NEW=");
}

TEST(JobEnvironment, WhatWasAskedForIsKnownByItsPlace) {
  struct Case {
    Assignments callers;
    Assignments own;
    Assignments all;
    Assignments kept;
  };
  const Case cases[] = {
      {{}, {}, {}, {}},
      {{"A=1", "B=2"}, {}, {"A=1", "B=2"}, {}},
      {{}, {"A=1"}, {"", "A=1"}, {"A=1"}},
      {{"A=1", "B=2"}, {"A=3"}, {"B=2", "", "A=3"}, {"A=3"}},
      {{"A=1"}, {"X=1", "Y=2", "X=3"}, {"A=1", "", "Y=2", "X=3"}, {"Y=2", "X=3"}},
  };
  for (const auto& one : cases) {
    const Assignments all = environment_from(one.callers, one.own);
    EXPECT_EQ(all, one.all);
    const std::string text = environment_text(all);
    EXPECT_EQ(own_variables_in(text), one.kept);
    Assignments without_border = one.all;
    std::erase(without_border, "");
    EXPECT_EQ(variables_in(text), without_border);
  }
}

}  // namespace
}  // namespace usvc
