// What `usvc doctor` finds.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "shapes/views.h"

namespace usvc::doctor {

using Findings = std::vector<FindingView>;

inline FindingView well(std::string about, std::string what) {
  return {.about = std::move(about), .severity = "well", .what = std::move(what), .mend = {}};
}
// It works, and could be better.
inline FindingView hint(std::string about, std::string what, std::string mend) {
  return {.about = std::move(about), .severity = "hint", .what = std::move(what), .mend = std::move(mend)};
}
inline FindingView trouble(std::string about, std::string what, std::string mend) {
  return {.about = std::move(about), .severity = "trouble", .what = std::move(what), .mend = std::move(mend)};
}

}  // namespace usvc::doctor
