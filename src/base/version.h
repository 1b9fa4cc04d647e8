// Which usvc this is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace usvc {

inline constexpr char version[] = USVC_VERSION;  // from the build, which has it from CMakeLists.txt

// The version of the running program: `version`, unless a test's copy pretends to be another.
const std::string& own_version();

// Only in builds with USVC_TEST_HOOKS; elsewhere there is never anything. A test makes "another version" of a program
// by appending a line to a copy of it, `usvc-test-copy KEY=VALUE …`: what is said there belongs to the file that runs,
// wherever it is moved and whatever takes its name.
std::optional<std::string> pretended(std::string_view key);

}  // namespace usvc
